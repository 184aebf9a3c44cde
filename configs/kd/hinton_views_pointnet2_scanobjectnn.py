# Knowledge distillation of logits across modalities: the multi-view ResNet-18 teaches PointNet++
# SSG; a bank stores its outputs.
_base_ = [
    '../_base_/students/pointnet2_ssg.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/adamw_cosine_1000e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../pointcmt/mvcnn_resnet18_scanobjectnn.py')

student = _base_.student
model = dict(
    type='LogitKD',
    student=student,
    teachers=dict(
        main=dict(
            type='FeatureBank',
            teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
            data=_base_.bank_data,
        )
    ),
    losses=dict(logit=dict(type='LogitKDLoss', temperature=4.0, loss_weight=0.9)),
)
