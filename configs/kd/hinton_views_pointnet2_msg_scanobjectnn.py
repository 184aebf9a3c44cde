# Knowledge distillation of logits (Hinton et al., 2015) across modalities: PointCMT's image teacher
# and its student. The other methods on ScanObjectNN start from here.
_base_ = [
    '../_base_/students/pointnet2_msg.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/adamw_cosine_1000e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../pointcmt/mvcnn_resnet18_scanobjectnn.py')

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
        )
    ),
    losses=dict(logit=dict(type='LogitKDLoss', temperature=4.0, loss_weight=0.9)),
)
