# PointNet with PointNeXt's recipe.
_base_ = [
    '../_base_/students/pointnet.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/pointnext_600e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = _base_.loss
