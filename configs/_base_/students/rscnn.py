# RS-CNN SSN (Liu et al., CVPR 2019): 1,289,505 parameters with 40 classes.
student = dict(
    type='PointClassifier',
    backbone=dict(type='RSCNN', relation_prior='released', compat='pointnet2'),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.5,
        bias=False,
        loss=dict(type='CrossEntropyLoss'),
    ),
)
