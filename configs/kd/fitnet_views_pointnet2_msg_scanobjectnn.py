# FitNets (Romero et al., ICLR 2015) on global features: regression of the image teacher's feature
# through a connector. The weight is that of mdistiller.
_base_ = 'hinton_views_pointnet2_msg_scanobjectnn.py'

model = dict(
    type='FeatureKD',
    losses=dict(_delete_=True, feature=dict(type='FeatureMSELoss', loss_weight=100.0)),
    helpers=dict(connector=dict(type='Connector', in_channels=512, out_channels=512)),
)
