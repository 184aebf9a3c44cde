# The small AsymDSD of pretrain_tiny_modelnet40.py, fine-tuned; not a published recipe.
_base_ = [
    '../_base_/students/asymdsd_tiny.py',
    '../_base_/datasets/modelnet40_asymdsd.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]
requires = dict(pretrain='pretrain_tiny_modelnet40.py')
num_points = 256
max_epochs = 50
lr = 5e-4

model = _base_.student
model.backbone.init_cfg = dict(type='PretrainedBackbone', checkpoint='stage:pretrain')
