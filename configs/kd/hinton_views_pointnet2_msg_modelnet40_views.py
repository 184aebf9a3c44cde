# Knowledge distillation of logits (Hinton et al., 2015) across modalities: PointCMT's image teacher
# on rendered views, and its student. The other methods of the paper's tables start from here.
_base_ = [
    '../_base_/students/pointnet2_msg.py',
    '../_base_/datasets/modelnet40_views.py',
    '../_base_/schedules/adamw_cosine_1000e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../pointcmt/mvcnn_resnet18_modelnet40_views.py')

student = _base_.student
student.head.update(hidden_channels=(512,), dropout=0.0, bias=False)
model = dict(
    type='LogitKD',
    student=student,
    teachers=dict(
        main=dict(
            type='FeatureBank',
            teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
            data=_base_.bank_data,
            num_workers=_base_.num_workers,
        )
    ),
    losses=dict(logit=dict(type='LogitKDLoss', temperature=4.0, loss_weight=0.9)),
)
