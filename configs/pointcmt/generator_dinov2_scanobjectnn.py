# PointCMT, stage II: the generator from DINOv2's features to points.
_base_ = [
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/teachers/hf_image.py',
    '../_base_/schedules/adam_50e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='hf_dinov2_scanobjectnn.py')

model = dict(
    type='PointGenerator',
    preset='released',
    in_channels=_base_.feature_channels,
    num_points=_base_.num_points,
    teacher=dict(
        type='FeatureBank',
        teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
        data=_base_.bank_data,
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
