# The small AsymDSD fine-tuned on few labels of all classes: shot=2 is 1 % of ModelNet40's training
# shapes, shot=10 is 5 %; the whole test split. fold draws other shapes. Not a published recipe.
_base_ = [
    '../_base_/students/asymdsd_tiny.py',
    '../_base_/datasets/modelnet40_few_shot.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]
requires = dict(pretrain='pretrain_tiny_modelnet40.py')
num_points = 256
way = None
test_per_class = None
shot = 10
max_epochs = 60
lr = 5e-4

model = _base_.student
model.backbone.init_cfg = dict(type='PretrainedBackbone', checkpoint='stage:pretrain')
val_cfg = None
default_hooks = dict(checkpoint=dict(interval=60, max_keep_ckpts=1, save_best=None, rule=None))
