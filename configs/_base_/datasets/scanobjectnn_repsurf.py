# ScanObjectNN as RepSurf's authors feed it: farthest points as they are, without augmentation.
_base_ = './scanobjectnn.py'

eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.num_points),
    dict(type='PackPointInputs'),
]
train_pipeline = eval_pipeline
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
