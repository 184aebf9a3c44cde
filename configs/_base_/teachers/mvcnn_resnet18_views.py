# The image teacher of PointCMT on rendered images: ResNet-18 on each, maximum over the views, one
# linear layer. The published one starts from ImageNet's weights.
pretrained = (
    None  # a file of ImageNet weights in torchvision's format, such as resnet18-f37072fd.pth
)
teacher = dict(
    type='PointClassifier',
    input_key='views',
    backbone=dict(type='MultiViewResNet', depth=18, aggregation='max', pretrained=pretrained),
    head=dict(
        type='MLPHead',
        hidden_channels=(),
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
