# PointCMT, stage II: the cross-modal point generator, from features of rendered views to points.
_base_ = [
    '../_base_/datasets/modelnet40_views.py',
    '../_base_/schedules/adam_50e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='mvcnn_resnet18_modelnet40_views.py')

model = dict(
    type='PointGenerator',
    preset='released',
    num_points=_base_.num_points,
    teacher=dict(
        type='FeatureBank',
        teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
        data=_base_.bank_data,
        num_workers=_base_.num_workers,
    ),
    loss=dict(
        type='EarthMoverLoss',
        loss_weight=30.0,
        reduction='mean',
        normalize='released',
        solver='msn',
        eps=0.05,
        iterations=3000,
    ),
)
val_evaluator = dict(_delete_=True, type='GenerationDistance')
test_evaluator = dict(_delete_=True, type='GenerationDistance')
default_hooks = dict(checkpoint=dict(save_best='emd', rule='less'))
