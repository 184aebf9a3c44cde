# AsymDSD-S fine-tuned: the head alone for 50 epochs, then everything. Published: 94.1 OA.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/modelnet40_asymdsd.py',
    '../_base_/schedules/adamw_two_stage_150e.py',
    '../_base_/default_runtime.py',
]
requires = dict(pretrain='pretrain_s_shapenet55.py')

model = _base_.student
model.backbone.update(init_cfg=dict(type='PretrainedBackbone', checkpoint='stage:pretrain'))
model.head.update(init_cfg=dict(type='TruncNormal', layer='Linear', std=0.02, a=-0.1, b=0.1))
custom_hooks = [_base_.freeze_hook]
