# DGCNN (Wang et al., TOG 2019): 1,809,576 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='DGCNN', num_neighbors=20),  # 40 for 2,048 points
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.5,
        act='leaky_relu',
        bias=(False, True),
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
