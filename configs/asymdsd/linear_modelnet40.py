# A linear layer on AsymDSD-S's frozen features. Published: 92.52 OA, mean of several runs.
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
model.head.update(hidden_channels=(), last_bias=True)
custom_hooks = [dict(type='FreezeBackboneHook')]
