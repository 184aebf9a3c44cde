# SimpleView with PointNeXt's recipe, without the height: images have no place for it.
_base_ = [
    '../_base_/students/simpleview.py',
    '../_base_/datasets/scanobjectnn_pointnext.py',
    '../_base_/schedules/pointnext_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/simpleview_scanobjectnn_pointnext'

model = _base_.student
model.head.num_classes = _base_.num_classes
model.head.loss = _base_.loss
eval_pipeline = [*_base_.eval_pipeline[:-1], dict(type='PackPointInputs')]
train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.train_pipeline[:-1], dict(type='PackPointInputs')])
)
val_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
test_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
