# A quarter-width ResNet-18 on six small depth images, for runs that take minutes on a CPU.
image_size = 48
teacher = dict(
    type='PointClassifier',
    input_key='views',
    data_preprocessor=dict(
        type='PointDataPreprocessor',
        views=dict(type='PerspectiveProjection', num_views=6, image_size=image_size),
    ),
    backbone=dict(type='MultiViewResNet', depth=18, base_width=16, aggregation='max'),
    head=dict(
        type='MLPHead',
        hidden_channels=(),
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
