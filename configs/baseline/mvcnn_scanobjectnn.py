# MVCNN on projections of the points, from scratch as in PointCMT.
_base_ = [
    '../_base_/students/mvcnn_resnet18.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
