# AsymDSD's transformer (S) from scratch with PointNeXt's recipe.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/scanobjectnn_pointnext.py',
    '../_base_/schedules/pointnext_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = _base_.loss
model.backbone.update(in_channels=4, class_token=False, pool=('mean', 'max'))
