# GDANet (Xu et al., AAAI 2021): 936,616 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='GDANet'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.4,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
        init_cfg=dict(type='Xavier', layer='Linear', distribution='normal'),
    ),
)
