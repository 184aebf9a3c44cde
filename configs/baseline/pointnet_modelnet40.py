# PointNet with the recipe of its usual PyTorch port (yanx27). Its network is the paper's;
# the port's has variant='fxia22' and dropout=(0.0, 0.4) with dropout_first=True.
# The student base's label smoothing is left out here; in the first epochs neither it nor dropout
# changed more than the seed does (docs/en/results.md).
_base_ = [
    '../_base_/students/pointnet.py',
    '../_base_/datasets/modelnet40_pointnet2.py',
    '../_base_/schedules/adam_200e_step.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = dict(type='CrossEntropyLoss')
auto_scale_lr = dict(base_batch_size=_base_.batch_size)
