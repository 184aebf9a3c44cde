# PointCMT with all labels in hours on a CPU: an image teacher that sees 1,024 points, a small
# PointNet++ student that sees 128.
_base_ = [
    '../_base_/students/pointnet2_small.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='mvcnn_small_modelnet40.py', generator='generator_small_modelnet40.py')
student_points = 128
num_workers = 0

student = _base_.student
model = dict(
    type='PointCMT',
    preset='released',
    losses=dict(
        feature=dict(loss_weight=1.0, normalize='centred'),
        classifier=dict(loss_weight=0.3, reduction='batchmean'),
    ),
    student=student,
    teachers=dict(
        image=dict(
            type='FeatureBank',
            teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
            data=_base_.bank_data,
        )
    ),
    helpers=dict(generator=dict(type='FrozenGenerator', checkpoint='stage:generator')),
)
