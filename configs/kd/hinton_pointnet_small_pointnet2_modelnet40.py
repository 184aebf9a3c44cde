# Hinton et al. (2015) to a student eleven times smaller: a small PointNet++ teaches a small
# PointNet.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../baseline/pointnet2_small_modelnet40.py')
student_points = 128
num_workers = 0

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
