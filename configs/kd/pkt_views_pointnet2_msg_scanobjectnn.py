# PKT (Passalis and Tefas, ECCV 2018): which of the image teacher's features are neighbours.
_base_ = 'hinton_views_pointnet2_msg_scanobjectnn.py'

loss = dict(type='ProbabilisticTransferLoss', loss_weight=30000.0)
model = dict(type='FeatureKD', losses=dict(_delete_=True, feature=loss))
