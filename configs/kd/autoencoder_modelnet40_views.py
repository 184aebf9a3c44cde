# IE-KD (Huang et al., CVPR 2021), step 1: an auto-encoder of the image teacher's feature.
_base_ = [
    '../_base_/datasets/modelnet40_views.py',
    '../_base_/schedules/sgd_30e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../pointcmt/mvcnn_resnet18_modelnet40_views.py')

model = dict(
    type='FactorAutoEncoder',
    in_channels=512,
    factor_channels=256,
    teacher=dict(
        type='FeatureBank',
        teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
        data=_base_.bank_data,
        num_workers=_base_.num_workers,
    ),
)
val_evaluator = dict(_delete_=True, type='GenerationDistance', field='l1')
test_evaluator = dict(_delete_=True, type='GenerationDistance', field='l1')
default_hooks = dict(checkpoint=dict(save_best='l1', rule='less'))
