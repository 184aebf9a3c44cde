# A classifier with the backbone of ./asymdsd_pretrain_tiny.py.
_base_ = './asymdsd_pretrain_tiny.py'

student = dict(
    _delete_=True,
    type='PointClassifier',
    backbone=dict(_base_.student.backbone, drop_path=0.1),
    head=dict(
        type='MLPHead',
        hidden_channels=(128, 128),
        dropout=0.5,
        act='gelu',
        bias=False,
        last_bias=False,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2),
    ),
)
