# Regression of the image teacher's feature, brought to the student's mean and standard deviation in
# each channel (Normalize-I of PointCMT's appendix, which states no weight).
_base_ = 'hinton_views_pointnet2_msg_modelnet40_views.py'

loss = dict(type='NormalizedMSELoss', variant='I', loss_weight=1.0)
model = dict(type='FeatureKD', losses=dict(_delete_=True, feature=loss))
