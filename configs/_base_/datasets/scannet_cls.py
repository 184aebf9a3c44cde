# ScanNetV2_cls: objects of ScanNet's scenes in 17 classes (tools/dataset_converters/scannet_cls.py
# makes the files).
_base_ = './_loaders.py'
data_root = 'data/ScanNetV2_cls'
num_points = 1024

eval_pipeline = [
    dict(type='FirstPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='RandomPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='PackPointInputs'),
]
data = dict(type='ScanNetCls', data_root=data_root)
