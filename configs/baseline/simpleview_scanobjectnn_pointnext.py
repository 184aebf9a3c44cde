# SimpleView with PointNeXt's recipe, without the height: the images have no channel for it.
_base_ = [
    '../_base_/students/simpleview.py',
    '../_base_/datasets/scanobjectnn_pointnext.py',
    '../_base_/schedules/pointnext_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = _base_.loss
eval_pipeline = [*_base_.eval_pipeline[:-1], dict(type='PackPointInputs')]
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackPointInputs')]
