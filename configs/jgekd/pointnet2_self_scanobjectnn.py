# JGEsKD: PointNet++ SSG teaches itself on ScanObjectNN, from the clean view to the corrupted one.
_base_ = [
    '../_base_/students/pointnet2_ssg.py',
    '../_base_/datasets/siamese_scanobjectnn.py',
    '../_base_/schedules/pointnext_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/jgekd/pointnet2_self_scanobjectnn'

student = _base_.student
student.head.num_classes = _base_.num_classes
student.head.loss = dict(type='CrossEntropyLoss', label_smoothing=0.1, smoothing='others')
model = dict(
    type='JGEKD',
    student=student,
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=20)]
