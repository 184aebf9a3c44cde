# PointNet++ MSG (Qi et al., NeurIPS 2017): 1,742,856 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet2MSG'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.5,
        bias=False,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
