# Point Transformer (Zhao et al., ICCV 2021): 3,964,394 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointTransformer'),
    head=dict(
        type='MLPHead', hidden_channels=(256, 128), dropout=0.5, loss=dict(type='CrossEntropyLoss')
    ),
)
