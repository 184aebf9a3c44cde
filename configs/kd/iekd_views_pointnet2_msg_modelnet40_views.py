# IE-KD (Huang et al., CVPR 2021), step 2: half of the student's feature inherits the image
# teacher's, the other half explores.
_base_ = 'hinton_views_pointnet2_msg_modelnet40_views.py'
requires = dict(autoencoder='autoencoder_modelnet40_views.py')

half = dict(type='FactorEncoder', in_channels=256, out_channels=256)
model = dict(
    type='IEKD',
    losses=dict(
        _delete_=True,
        inherit=dict(type='InheritanceLoss', loss_weight=1.0),
        explore=dict(type='ExplorationLoss', loss_weight=1.0),
    ),
    helpers=dict(
        encoder=dict(type='FrozenEncoder', checkpoint='stage:autoencoder'),
        inherit=half,
        explore=half,
    ),
)
