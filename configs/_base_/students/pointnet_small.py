# A small PointNet without transforms, for runs that take minutes on a CPU.
student = dict(
    type='PointClassifier',
    backbone=dict(
        type='PointNet',
        local_channels=(64, 64),
        global_channels=(128, 256),
        input_transform=False,
        feature_transform=False,
    ),
    head=dict(
        type='MLPHead',
        hidden_channels=(128,),
        dropout=0.0,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
