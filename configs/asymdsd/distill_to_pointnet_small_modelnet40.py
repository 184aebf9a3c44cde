# A fine-tuned small AsymDSD teaches a small PointNet (JGEtKD), in minutes; not a published recipe.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40_asymdsd.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='finetune_tiny_modelnet40.py')
num_points = 256

student = _base_.student
model = dict(
    type='JGEKD',
    student=student,
    teachers=dict(main=dict(type='FrozenTeacher', checkpoint='stage:teacher')),
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=5)]
