# Point-MAE's transformer from scratch, with the schedule of its fine-tuning.
_base_ = [
    '../_base_/students/point_mae.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/adamw_cosine_300e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.backbone.num_patches = 128
num_points = 2048
eval_pipeline = [dict(type='FirstPoints', num_points=num_points), dict(type='PackPointInputs')]
train_pipeline = [
    dict(type='RandomPoints', num_points=num_points),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='PackPointInputs'),
]
