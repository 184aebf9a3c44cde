# PointMLP-elite (Ma et al., ICLR 2022): 709,807 parameters with 15 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointMLPElite'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.5,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
