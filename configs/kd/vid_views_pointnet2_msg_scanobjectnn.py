# VID (Ahn et al., CVPR 2019): regression of the image teacher's feature with learned variances.
_base_ = 'hinton_views_pointnet2_msg_scanobjectnn.py'

model = dict(
    type='FeatureKD',
    losses=dict(_delete_=True, feature=dict(type='VariationalLoss', channels=512, loss_weight=1.0)),
    helpers=dict(
        connector=dict(
            type='Connector',
            in_channels=512,
            out_channels=512,
            hidden_channels=(512, 512),
            act='relu',
            last_act=False,
            bias=False,
        )
    ),
)
