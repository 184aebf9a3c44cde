# ModelNet40 as RS-CNN's authors feed it: farthest points, of which a random part trains, scaled and
# shifted.
_base_ = './modelnet40.py'
num_farthest = 1200  # of which a random num_points train

eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.num_points),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='ShufflePoints'),
    dict(type='FarthestThenRandom', num_points=_base_.num_points, num_farthest=num_farthest),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='PackPointInputs'),
]
data = _base_.data
bank_data = [
    dict(
        data,
        split=split,
        indices=None if split in ('val', 'test') else _base_.train_size,
        pipeline=eval_pipeline,
    )
    for split in _base_.bank_splits
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
test_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
