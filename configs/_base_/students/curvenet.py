# CurveNet (Xiang et al., ICCV 2021): 2,140,672 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='CurveNet'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512,),
        dropout=0.5,
        bias=False,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
