# SimpleView (Goyal et al., ICML 2021): 803,992 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='SimpleView', image_size=128),
    head=dict(
        type='MLPHead',
        hidden_channels=(128,),
        dropout=0.5,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
