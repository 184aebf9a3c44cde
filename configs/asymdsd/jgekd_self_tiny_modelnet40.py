# A pre-trained small AsymDSD as the student of JGEsKD: clean and corrupted views teach each other.
# Not a published recipe.
_base_ = [
    '../_base_/students/asymdsd_tiny.py',
    '../_base_/datasets/siamese_modelnet40.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]
requires = dict(pretrain='pretrain_tiny_modelnet40.py')
num_points = 256
lr = 5e-4
eval_pipeline = [
    dict(type='FarthestPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='ConvertUpAxis', to='z'),  # as in pre-training
    dict(type='PackPointInputs'),
]

student = _base_.student
student.backbone.init_cfg = dict(type='PretrainedBackbone', checkpoint='stage:pretrain')
model = dict(
    type='JGEKD',
    student=student,
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=5)]
