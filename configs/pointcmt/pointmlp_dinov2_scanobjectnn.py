# PointCMT, stage III: a PointMLP student, taught by DINOv2.
_base_ = [
    '../_base_/students/pointmlp.py',
    '../_base_/teachers/hf_image.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='hf_dinov2_scanobjectnn.py', generator='generator_dinov2_scanobjectnn.py')

# The student's head: one hidden layer as wide as the teacher's feature, then the linear layer that
# PointCMT trains twice.
student = _base_.student
student.head.update(hidden_channels=(_base_.feature_channels,), dropout=0.0)
model = dict(
    type='PointCMT',
    preset='released',
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
