# PointNet++ MSG with the recipe of its usual PyTorch port (yanx27).
_base_ = [
    '../_base_/students/pointnet2_msg.py',
    '../_base_/datasets/modelnet40_pointnet2.py',
    '../_base_/schedules/adam_200e_step.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = dict(type='CrossEntropyLoss')
auto_scale_lr = dict(base_batch_size=_base_.batch_size)
