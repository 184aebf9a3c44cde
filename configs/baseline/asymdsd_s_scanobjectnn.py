# AsymDSD-S's transformer from scratch, without a class token. Published: 83.5 OA on PB_T50_RS.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/adamw_cosine_150e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/asymdsd_s_scanobjectnn'

model = _base_.student
model.head.num_classes = _base_.num_classes
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
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
test_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
