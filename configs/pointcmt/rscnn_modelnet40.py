# PointCMT, stage III: an RS-CNN student on ModelNet40.
_base_ = [
    '../_base_/students/rscnn.py',
    '../_base_/datasets/modelnet40_rscnn.py',
    '../_base_/schedules/adam_200e_step21.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='mvcnn_resnet18_modelnet40.py', generator='generator_modelnet40.py')

# The student's head: one hidden layer as wide as the teacher's feature, then the linear layer that
# PointCMT trains twice.
student = _base_.student
student.head.update(hidden_channels=(512,), dropout=0.0, bias=False)
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
custom_hooks = [dict(type='BatchNormMomentumHook', initial=0.9, factor=0.5, step=21, floor=0.01)]
