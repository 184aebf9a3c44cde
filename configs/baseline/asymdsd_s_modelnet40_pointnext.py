# AsymDSD's transformer (S) from scratch with PointNeXt's recipe.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/pointnext_600e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = _base_.loss
model.backbone.update(class_token=False, pool=('mean', 'max'))
