# The transformer of AsymDSD-S (NeurIPS 2025): 22,157,952 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointViT', preset='asymdsd_s', num_patches=64),  # 128 for 2,048 points
    head=dict(
        type='MLPHead',
        hidden_channels=(256, 256),
        dropout=0.5,
        act='gelu',
        bias=False,
        last_bias=False,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2),
    ),
)
