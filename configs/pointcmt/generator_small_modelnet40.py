# PointCMT, stage II, for the small image teacher: from its features to 256 points.
_base_ = [
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='mvcnn_small_modelnet40.py')
student_points = 256
num_workers = 0

model = dict(
    type='PointGenerator',
    preset='released',
    in_channels=128,
    num_points=student_points,
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
