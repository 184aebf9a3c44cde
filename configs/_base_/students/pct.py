# PCT (Guo et al., Computational Visual Media 2021): 2,876,136 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PCT'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.5,
        act='leaky_relu',
        bias=(False, True),
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
