# AsymDSD-S fine-tuned on few-shot tasks, for `pcdet-kd few-shot`. Published, on Point-BERT's tasks:
# 96.1 OA with 5 ways and 10 shots, 98.8 (5, 20), 94.4 (10, 10), 95.8 (10, 20).
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/modelnet40_few_shot.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]
requires = dict(pretrain='pretrain_s_shapenet55.py')
lr = 1e-3
min_lr = 1e-6

model = _base_.student
# the paper ignores the class token here; the authors' code pools it with the patches
model.backbone.update(
    pool=('mean', 'max'),
    init_cfg=dict(type='PretrainedBackbone', checkpoint='stage:pretrain'),
)
val_cfg = None
default_hooks = dict(checkpoint=dict(interval=150, max_keep_ckpts=1, save_best=None, rule=None))
