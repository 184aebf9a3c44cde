# A vision model of Hugging Face on six grey images of the points, maximum over the views, and one
# linear layer.
hf_model = (
    'models/dinov2-small'  # hf download facebook/dinov2-small --local-dir models/dinov2-small
)
feature_channels = 384  # width of its feature: 768 of base, 1024 of large
image_size = 224
teacher = dict(
    type='PointClassifier',
    input_key='views',
    data_preprocessor=dict(
        type='PointDataPreprocessor',
        views=dict(
            type='PerspectiveProjection',
            mode='grey',
            image_size=image_size,
            footprint=4,
            overlap='nearest',
        ),
    ),
    backbone=dict(type='HFImageBackbone', hf_model=hf_model, aggregation='max'),
    head=dict(type='MLPHead', hidden_channels=()),
)
