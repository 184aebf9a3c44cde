# PointNet++ SSG with few centroids and a feature of 128 channels, for runs on a CPU.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet2SSG', num_points=(64, 16)),
    head=dict(
        type='MLPHead',
        hidden_channels=(128,),
        dropout=0.0,
        bias=False,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
