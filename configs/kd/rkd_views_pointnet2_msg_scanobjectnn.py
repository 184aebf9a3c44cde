# RKD (Park et al., CVPR 2019): distances and angles between the image teacher's features.
_base_ = 'hinton_views_pointnet2_msg_scanobjectnn.py'

loss = dict(type='RelationalKDLoss', distance_weight=25.0, angle_weight=50.0)
model = dict(type='FeatureKD', losses=dict(_delete_=True, feature=loss))
