# ModelNet40 as in PointCMT's released code: the first points of modelnet40_normal_resampled in
# data_root, and 20 images of each mesh in views_root, from `pcdet-kd render-views MESHES
# views_root` or RotationNet's. Students train on points (train_pipeline), the teacher on images
# (views_pipeline).
_base_ = './_loaders.py'
data_root = 'data/modelnet40_normal_resampled'
views_root = 'data/ModelNet40_mv_20view'
# folder for decoded images: 12 GB for all of ModelNet40 with image_size = 224, 3 GB with 112
views_cache = None
num_points = 1024
num_views = 20
image_size = 224
num_workers = 4

train_pipeline = [
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='ShufflePoints'),
    dict(type='PackPointInputs'),
]
eval_pipeline = [dict(type='PackPointInputs')]
views_pipeline = [
    dict(
        type='LoadViews',
        views_root=views_root,
        num_views=num_views,
        image_size=image_size,
        mean=None,
        std=None,
        cache_dir=views_cache,
    ),  # bytes; the preprocessor normalizes them on the device, as ImageNet's images
    dict(type='PackPointInputs', keys=('points', 'views')),
]
data = dict(
    type='ModelNet40Resampled',
    data_root=data_root,
    num_points=num_points,
)
bank_pipeline = views_pipeline
