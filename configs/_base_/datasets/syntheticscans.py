# SyntheticScans: generated shapes with ScanObjectNN's classes, nothing to download. Deterministic,
# cached after the first use. A tenth of the training set is kept for validation; nothing is
# selected on the test set.
variant = 'OBJ_ONLY'  # OBJ_BG, PB_T50_RS
num_train = 900
num_test = 600
data_seed = 0
num_classes = 15
num_points = 512
batch_size = 32
num_workers = 0
val_fraction = 0.1
train_split = 'train'  # 'trainval' trains on the validation part too

eval_pipeline = [
    dict(type='FirstPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='RandomPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomScale', low=0.8, high=1.25),
    dict(type='RandomShift', max_shift=0.1),
    dict(type='ShufflePoints'),
    dict(type='PackPointInputs'),
]
data = dict(
    type='SyntheticScans',
    variant=variant,
    num_train=num_train,
    num_test=num_test,
    seed=data_seed,
    val_fraction=val_fraction,
)
bank_splits = ('train', 'val', 'test') if train_split == 'train' else (train_split, 'test')
bank_data = [dict(data, split=split, pipeline=eval_pipeline) for split in bank_splits]
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    drop_last=True,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(data, split=train_split, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(data, split='val', pipeline=eval_pipeline),
)
test_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(data, split='test', pipeline=eval_pipeline),
)
val_evaluator = dict(type='PointAccuracy')
test_evaluator = dict(type='PointAccuracy')
