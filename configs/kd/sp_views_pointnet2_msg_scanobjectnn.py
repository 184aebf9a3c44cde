# SP (Tung and Mori, ICCV 2019): similarities between the image teacher's features.
_base_ = 'hinton_views_pointnet2_msg_scanobjectnn.py'

loss = dict(type='SimilarityPreservingLoss', loss_weight=3000.0)
model = dict(type='FeatureKD', losses=dict(_delete_=True, feature=loss))
