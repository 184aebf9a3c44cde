# PointNeXt-S with its authors' recipe.
_base_ = [
    '../_base_/students/pointnext_s.py',
    '../_base_/datasets/scanobjectnn_pointnext.py',
    '../_base_/schedules/pointnext_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = _base_.loss
model.backbone.in_channels = 4
