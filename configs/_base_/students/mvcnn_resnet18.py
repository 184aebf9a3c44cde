# PointCMT's image teacher as a student that takes points and projects the six depth images itself:
# 11,197,032 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(
        type='MultiViewResNet',
        depth=18,
        aggregation='max',
        projection=dict(type='PerspectiveProjection', num_views=6, image_size=128),
    ),
    head=dict(
        type='MLPHead',
        hidden_channels=(),
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
