# AsymDSD-S's transformer from scratch, without a class token. Published: 83.5 OA on PB_T50_RS.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.backbone.update(num_patches=128, class_token=False, pool=('mean', 'max'))
num_points = 2048
eval_pipeline = [
    dict(type='FirstPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='RandomPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomScale', low=0.9, high=1.1),
    dict(type='PackPointInputs'),
]
