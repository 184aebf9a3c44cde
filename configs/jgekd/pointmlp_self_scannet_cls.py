# JGEsKD: PointMLP teaches itself on ScanNetV2_cls: the clean view teaches the corrupted one.
_base_ = [
    '../_base_/students/pointmlp.py',
    '../_base_/datasets/siamese_scannet_cls.py',
    '../_base_/schedules/sgd_cosine_200e.py',
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
