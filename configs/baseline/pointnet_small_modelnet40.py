# A small PointNet on ModelNet40, for comparisons in minutes.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = dict(type='CrossEntropyLoss', label_smoothing=0.1, smoothing='others')
