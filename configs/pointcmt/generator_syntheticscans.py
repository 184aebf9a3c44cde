# PointCMT in minutes, stage II: the point generator on generated data.
_base_ = [
    '../_base_/datasets/syntheticscans.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='mvcnn_resnet18_syntheticscans.py')

model = dict(
    type='PointGenerator',
    preset='released',
    in_channels=128,
    num_points=_base_.num_points,
    teacher=dict(
        type='FeatureBank',
        teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
        data=_base_.bank_data,
    ),
    loss=dict(type='EarthMoverLoss', loss_weight=30.0, reduction='mean', normalize='centred'),
)
val_evaluator = dict(_delete_=True, type='GenerationDistance')
test_evaluator = dict(_delete_=True, type='GenerationDistance')
default_hooks = dict(checkpoint=dict(save_best='emd', rule='less'))
