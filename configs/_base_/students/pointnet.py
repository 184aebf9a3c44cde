# PointNet (Qi et al., CVPR 2017), 64-64 and 64-128-1024 channels: 3,473,624 parameters with 15
# classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet', variant='paper'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=(0.0, 0.3),
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
