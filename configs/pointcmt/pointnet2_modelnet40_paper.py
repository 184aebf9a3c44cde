# PointCMT's text, stage III: a PointNet++ MSG student trained by RS-CNN's strategy (D9) with plain
# cross-entropy (D3). Published: 94.0 % overall accuracy (94.4 with a teacher on rendered
# views, where feature enhancement alone gives 93.8 and classifier enhancement alone 94.0).
_base_ = [
    '../_base_/students/pointnet2_msg.py',
    '../_base_/datasets/modelnet40_rscnn.py',
    '../_base_/schedules/adam_200e_step21.py',
    '../_base_/default_runtime.py',
]
requires = dict(
    teacher='mvcnn_resnet18_modelnet40_paper.py', generator='generator_modelnet40_paper.py'
)

# The student's head: one hidden layer as wide as the teacher's feature, then the linear layer that
# PointCMT trains twice (D7).
student = _base_.student
student.head.update(hidden_channels=(512,), dropout=0.0, bias=False)
student.head.loss = dict(type='CrossEntropyLoss')
model = dict(
    type='PointCMT',
    preset='paper',
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
