# The transformer of Point-MAE (Pang et al., ECCV 2022): 22,093,327 parameters with 15 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointViT', preset='point_mae', num_patches=64),  # 128 for 2,048 points
    head=dict(
        type='MLPHead',
        hidden_channels=(256, 256),
        dropout=0.5,
        loss=dict(type='CrossEntropyLoss'),
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.02, a=-0.1, b=0.1),
    ),
)
