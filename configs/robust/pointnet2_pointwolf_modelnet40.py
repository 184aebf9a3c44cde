# PointWOLF on PointNet++ SSG: the baseline's recipe, deformed before it is scaled and shifted.
_base_ = [
    '../_base_/students/pointnet2_ssg.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_200e_step.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/robust/pointnet2_pointwolf_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
train_pipeline = _base_.train_pipeline
train_pipeline.insert(1, dict(type='PointWOLF'))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
