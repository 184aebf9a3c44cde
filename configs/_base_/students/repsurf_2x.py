# RepSurf-U, twice as wide (Ran et al., CVPR 2022): 6,799,863 parameters with 15 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='RepSurf', variant='2x'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.4,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.1, smoothing='others'),
    ),
)
