# MVCNN on projections of the points, with the recipe of PointCMT's released code for its image
# teacher.
_base_ = [
    '../_base_/students/mvcnn_resnet18.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_50e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
