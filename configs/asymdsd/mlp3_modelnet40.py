# A head of three layers on AsymDSD-S's frozen features.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/modelnet40_asymdsd.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]
requires = dict(pretrain='pretrain_s_shapenet55.py')
lr = 5e-4

model = _base_.student
model.backbone.update(init_cfg=dict(type='PretrainedBackbone', checkpoint='stage:pretrain'))
custom_hooks = [dict(type='FreezeBackboneHook')]
