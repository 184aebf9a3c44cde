# Point-MAE's transformer from scratch, with the schedule of its fine-tuning.
_base_ = [
    '../_base_/students/point_mae.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adamw_cosine_300e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
num_points = 1024
eval_pipeline = [dict(type='FarthestPoints', num_points=num_points), dict(type='PackPointInputs')]
train_pipeline = [
    dict(type='FarthestThenRandom', num_points=num_points, num_farthest=1200),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='PackPointInputs'),
]
