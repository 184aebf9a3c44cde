# Knowledge distillation of logits (Hinton et al., 2015): PointMLP teaches PointMLP-elite.
_base_ = [
    '../_base_/students/pointmlp_elite.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../baseline/pointmlp_scanobjectnn.py')

student = _base_.student
model = dict(
    type='LogitKD',
    student=student,
    teachers=dict(main=dict(type='FrozenTeacher', checkpoint='stage:teacher')),
    losses=dict(logit=dict(type='LogitKDLoss', temperature=4.0, loss_weight=0.9)),
)
