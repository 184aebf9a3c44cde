# SRRL (Yang et al., ICLR 2021): the image teacher's classifier judges the student's feature.
_base_ = 'hinton_views_pointnet2_msg_modelnet40_views.py'

model = dict(
    type='SRRL',
    losses=dict(
        _delete_=True,
        feature=dict(type='FeatureMSELoss', loss_weight=1.0),
        logit=dict(type='LogitMSELoss', loss_weight=1.0),
    ),
    helpers=dict(
        connector=dict(
            type='Connector',
            in_channels=512,
            out_channels=512,
            norm='bn',
            act='relu',
            bias=False,
            init_cfg=dict(type='Normal', layer='Linear', std=0.0625),  # sqrt(2 / out_channels)
        ),
        classifier=dict(type='FrozenClassifier', checkpoint='stage:teacher'),
    ),
)
