# JGEtKD: RepSurf-U 2x teaches another one, the published run (88.8 OA, 90.0 with votes, both best
# on test).
_base_ = [
    '../_base_/students/repsurf_2x.py',
    '../_base_/datasets/scanobjectnn_repsurf.py',
    '../_base_/schedules/adam_250e_step.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../baseline/repsurf_2x_scanobjectnn.py')
batch_size = 64

student = _base_.student
student.head.num_classes = _base_.num_classes
teacher = dict(
    type='FrozenTeacher',
    checkpoint='stage:teacher',
    model=dict(
        type='PointClassifier',
        backbone=dict(type='RepSurf', variant='2x'),
        head=dict(
            type='MLPHead', hidden_channels=(512, 256), dropout=0.4, num_classes=_base_.num_classes
        ),
    ),
)
model = dict(
    type='JGEKD',
    student=student,
    teachers=dict(main=teacher),
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=20)]
train_dataloader = dict(batch_size=batch_size)
