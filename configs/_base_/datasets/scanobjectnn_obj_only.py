# ScanObjectNN without background (OBJ_ONLY): 2,309 and 581 objects, files in
# data_root/main_split_nobg.
_base_ = './scanobjectnn.py'

variant = 'OBJ_ONLY'
data = dict(_base_.data, variant=variant)
bank_data = [
    dict(
        data,
        split=split,
        indices=None if split in ('val', 'test') else _base_.train_size,
        pipeline=_base_.eval_pipeline,
    )
    for split in _base_.bank_splits
]
train_dataloader = dict(dataset=dict(variant=variant))
val_dataloader = dict(dataset=dict(variant=variant))
test_dataloader = dict(dataset=dict(variant=variant))
