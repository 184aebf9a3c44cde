# Copy this file into your own project. The bases are those of pcdet_kd, found by its name wherever
# it is installed.
_base_ = [
    'pcdet_kd::_base_/datasets/syntheticscans.py',
    'pcdet_kd::_base_/schedules/adamw_cosine_10e.py',
    'pcdet_kd::_base_/default_runtime.py',
]

model = dict(
    type='PointClassifier',
    backbone=dict(type='MeanMaxNet'),
    head=dict(type='MLPHead', hidden_channels=(256,)),
)
