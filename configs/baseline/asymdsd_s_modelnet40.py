# AsymDSD-S's transformer from scratch, without a class token. Published: 92.9 OA.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.backbone.update(class_token=False, pool=('mean', 'max'))
num_points = 1024
eval_pipeline = [
    dict(type='FarthestPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='FarthestPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='RandomScale', low=0.6, high=1.4),
    dict(type='PackPointInputs'),
]
