# ModelNet40 as in PointCMT's released code: the first points of modelnet40_normal_resampled in
# data_root, and 20 pictures of each mesh in views_root, from `pcdet-kd render-views MESHES
# views_root` or RotationNet's. Points train students (train_pipeline), pictures the teacher
# (views_pipeline). A tenth of the training set is kept for validation; nothing is selected on the
# test set.
data_root = 'data/modelnet40_normal_resampled'
views_root = 'data/ModelNet40_mv_20view'
# folder for decoded pictures: 12 GB for all of ModelNet40 with image_size = 224, 3 GB with 112
views_cache = None
num_classes = 40
num_points = 1024
num_views = 20
image_size = 224
batch_size = 32
num_workers = 4
val_fraction = 0.1
train_size = None  # use only the first n training clouds
train_split = (
    'train'  # 'trainval' trains on the whole official training set, as published protocols do
)

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
    ),  # bytes, which the preprocessor normalizes as ImageNet's pictures on the device
    dict(type='PackPointInputs', keys=('points', 'views')),
]
data = dict(
    type='ModelNet40Resampled',
    data_root=data_root,
    num_points=num_points,
    val_fraction=val_fraction,
)
bank_splits = ('train', 'val', 'test') if train_split == 'train' else (train_split, 'test')
bank_data = [
    dict(
        data,
        split=split,
        indices=None if split in ('val', 'test') else train_size,
        pipeline=views_pipeline,
    )
    for split in bank_splits
]
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(data, split=train_split, indices=train_size, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=True,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(data, split='val', pipeline=eval_pipeline),
)
test_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=True,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(data, split='test', pipeline=eval_pipeline),
)
val_evaluator = dict(type='PointAccuracy')
test_evaluator = dict(type='PointAccuracy')
