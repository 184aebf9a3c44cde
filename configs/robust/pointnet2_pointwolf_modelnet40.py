# PointWOLF on PointNet++ SSG: the baseline's recipe, deformed before it is scaled and shifted.
_base_ = [
    '../_base_/students/pointnet2_ssg.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_200e_step.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
train_pipeline = _base_.train_pipeline
train_pipeline.insert(1, dict(type='PointWOLF'))
