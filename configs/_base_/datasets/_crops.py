# Crops of clouds without labels, for self-supervised pre-training (AsymDSD). The file of a data set
# sets `data`. There is no validation or test data: the method sets val_cfg and test_cfg to None.
batch_size = 128
num_workers = 2
train_split = 'trainval'  # the whole official training set; 'train' keeps the validation part out
train_size = None  # use only the first n training clouds
global_crops = dict(count=2, num_points=1024, fraction=(0.4, 1.0))
local_crops = dict(count=4, num_points=256, fraction=(0.05, 0.4))  # None: no local crops
aspect = (0.33, 3.0)
on_short = 'error'  # a cloud smaller than a crop; 'resample' repeats points

data = dict()
crop_transforms = [
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomScale', low=0.8, high=1.2),
]
train_pipeline = [
    dict(type='ConvertUpAxis', to='z'),
    dict(
        type='MultiCrop',
        global_crops=global_crops,
        local_crops=local_crops,
        aspect=aspect,
        transforms=crop_transforms,
        on_short=on_short,
    ),
    dict(
        type='PackPointInputs',
        keys=('global_crops', 'local_crops') if local_crops else ('global_crops',),
    ),
]
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    drop_last=True,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(data, split=train_split, indices=train_size, pipeline=train_pipeline),
)
