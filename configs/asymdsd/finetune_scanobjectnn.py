# AsymDSD-S fine-tuned, everything from the first epoch. Published: 90.53 OA on PB_T50_RS.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/scanobjectnn_asymdsd.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]
requires = dict(pretrain='pretrain_s_shapenet55.py')
lr = 2e-5

model = _base_.student
model.backbone.update(
    num_patches=128, init_cfg=dict(type='PretrainedBackbone', checkpoint='stage:pretrain')
)
