# ScanObjectNN as the PyTorch port of PointNet++ (yanx27) feeds ModelNet40: unit sphere, points
# dropped, scaled and shifted.
_base_ = './scanobjectnn.py'

eval_pipeline = [
    dict(type='FirstPoints', num_points=_base_.num_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='FirstPoints', num_points=_base_.num_points),
    dict(type='UnitSphere'),
    dict(type='RandomPointDropout', max_ratio=0.875),
    dict(type='RandomScale', low=0.8, high=1.25, per_axis=False),
    dict(type='RandomShift', max_shift=0.1),
    dict(type='PackPointInputs'),
]
batch_size = 24
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
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=eval_pipeline))
test_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=eval_pipeline))
