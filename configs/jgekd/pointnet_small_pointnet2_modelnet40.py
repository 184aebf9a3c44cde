# JGEKD to a student eleven times smaller: a small PointNet++ teaches a small PointNet. The student
# sees 128 points of a shape; a bank stores the teacher's outputs for 1,024 points.
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
    type='JGEKD',
    student=student,
    teachers=dict(
        main=dict(
            type='FeatureBank',
            teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
            data=_base_.bank_data,
        )
    ),
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
