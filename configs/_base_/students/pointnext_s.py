# PointNeXt-S (Qian et al., NeurIPS 2022): 1,373,512 parameters with 40 classes. Set
# in_channels=4 if the points have their height as fourth channel; width=64 is the larger network.
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointNeXt', in_channels=3, width=32),
    head=dict(
        type='MLPHead',
        hidden_channels=(512, 256),
        dropout=0.5,
        bias=False,
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
