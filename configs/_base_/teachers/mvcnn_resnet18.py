# The image teacher of PointCMT: ResNet-18 on six depth images of the points (SimpleView's
# projection), maximum over the views, one linear layer.
image_size = 128
teacher = dict(
    type='PointClassifier',
    input_key='views',
    data_preprocessor=dict(
        type='PointDataPreprocessor',
        views=dict(type='PerspectiveProjection', num_views=6, image_size=image_size),
    ),
    backbone=dict(type='MultiViewResNet', depth=18, aggregation='max'),
    head=dict(
        type='MLPHead',
        hidden_channels=(),
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
