# JGEsKD: RepSurf-U 2x teaches itself on ScanNetV2_cls: the clean view teaches the corrupted one.
_base_ = [
    '../_base_/students/repsurf_2x.py',
    '../_base_/datasets/siamese_scannet_cls.py',
    '../_base_/schedules/adam_250e_step.py',
    '../_base_/default_runtime.py',
]

student = _base_.student
student.head.loss = dict(type='CrossEntropyLoss', label_smoothing=0.1, smoothing='others')
model = dict(
    type='JGEKD',
    student=student,
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=20)]
