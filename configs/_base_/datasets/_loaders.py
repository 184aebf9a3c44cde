# The loaders of all data sets. The file of a data set sets `data` and the pipelines. A tenth of the
# training set is kept for validation; nothing is selected on the test set.
batch_size = 32
num_workers = 2
val_fraction = 0.1
train_size = None  # use only so many training clouds: a number, a share or a file of their names
labels = None  # so many of these keep their label; None: all
unlabelled = None  # a further data set whose clouds have no label
labelled_share = 0.5  # of each batch, where not all clouds have labels
subset_seed = 0  # of both choices, which are stratified by class
train_split = (
    'train'  # 'trainval' trains on the whole official training set, as published protocols do
)
test_split = 'test'  # 'val' where there are no test data: the figures are validation figures then
# Options of these names are for the config itself; its stages keep their own.
own_variables = ('train_size', 'labels', 'unlabelled', 'labelled_share', 'subset_seed')
own_variables += ('student_points',)

data = dict(val_fraction=val_fraction)
train_pipeline = []
eval_pipeline = []
bank_pipeline = eval_pipeline  # for a teacher with a feature bank
with_val = train_split == 'train' or train_size is not None  # else its clouds are in train_split
bank_splits = dict.fromkeys((train_split, *(('val',) * with_val), test_split))
bank_data = [
    dict(
        data,
        split=split,
        subset=None if split in ('val', 'test') else train_size,
        subset_seed=subset_seed,
        unlabelled=unlabelled if split == train_split else None,
        pipeline=bank_pipeline,
    )
    for split in bank_splits
]
loader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
train_dataloader = dict(
    loader,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True)
    if labels is None and unlabelled is None
    else dict(type='LabelledShareSampler', batch_size=batch_size, share=labelled_share),
    dataset=dict(
        data,
        split=train_split,
        subset=train_size,
        labels=labels,
        subset_seed=subset_seed,
        unlabelled=unlabelled,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(loader, dataset=dict(data, split='val', pipeline=eval_pipeline))
test_dataloader = dict(loader, dataset=dict(data, split=test_split, pipeline=eval_pipeline))
val_evaluator = dict(type='PointAccuracy')
test_evaluator = dict(type='PointAccuracy')
