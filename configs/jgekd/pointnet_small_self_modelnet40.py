# JGEsKD in minutes: a small PointNet on ModelNet40. With graph_weight=0 it trains on two labelled
# views without distillation.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/siamese_modelnet40.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]
graph_weight = 1.0

student = _base_.student
student.head.loss = dict(type='CrossEntropyLoss', label_smoothing=0.1, smoothing='others')
model = dict(
    type='JGEKD',
    student=student,
    losses=dict(
        graph=dict(type='JointGraphEntropyLoss', variant='entropy', loss_weight=graph_weight)
    ),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=5)]
