# PointCMT's text, stage I: SGD with batches of 128 (D2) and plain cross-entropy (D3).
_base_ = [
    '../_base_/datasets/modelnet40.py',
    '../_base_/teachers/mvcnn_resnet18.py',
    '../_base_/schedules/sgd_50e.py',
    '../_base_/default_runtime.py',
]

batch_size = 128
model = _base_.teacher
model.head.loss = dict(type='CrossEntropyLoss')
