# ModelNet40 (Wu et al., CVPR 2015) as sampled by PointNet's authors: the files of
# modelnet40_ply_hdf5_2048 in data_root. A tenth of the training set is kept for validation; nothing
# is selected on the test set.
data_root = 'data/modelnet40_ply_hdf5_2048'
num_classes = 40
num_points = 1024
batch_size = 32
num_workers = 2
val_fraction = 0.1
train_size = None  # use only the first n training clouds
train_split = (
    'train'  # 'trainval' trains on the whole official training set, as published protocols do
)

eval_pipeline = [dict(type='FirstPoints', num_points=num_points), dict(type='PackPointInputs')]
train_pipeline = [
    dict(type='FirstPoints', num_points=num_points),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='ShufflePoints'),
    dict(type='PackPointInputs'),
]
data = dict(type='ModelNet40', data_root=data_root, val_fraction=val_fraction)
bank_splits = ('train', 'val', 'test') if train_split == 'train' else (train_split, 'test')
bank_data = [
    dict(
        data,
        split=split,
        indices=None if split in ('val', 'test') else train_size,
        pipeline=eval_pipeline,
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
