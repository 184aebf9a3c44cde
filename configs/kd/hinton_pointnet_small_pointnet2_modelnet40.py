# Hinton et al. (2015) to a student eleven times smaller: a small PointNet++ teaches a small
# PointNet.
_base_ = '../jgekd/pointnet_small_pointnet2_modelnet40.py'

model = dict(
    type='LogitKD',
    losses=dict(_delete_=True, logit=dict(type='LogitKDLoss', temperature=4.0, loss_weight=0.9)),
)
