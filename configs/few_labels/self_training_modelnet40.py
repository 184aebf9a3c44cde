# Few labels without a teacher: the student alone teaches a second one on all clouds. A control.
# Other labels=... are given twice: for this config and as --stage-options teacher.labels=...
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40_few_labels.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='alone_modelnet40.py')

student = _base_.student
model = dict(
    type='LogitKD',
    student=student,
    teachers=dict(main=dict(type='FrozenTeacher', checkpoint='stage:teacher')),
    losses=dict(logit=dict(type='LogitKDLoss', temperature=1.0, loss_weight=1.0)),
)
