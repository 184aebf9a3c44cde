# PointCMT, stage I: the multi-view image teacher (the paper's "projection" teacher).
_base_ = [
    '../_base_/datasets/modelnet40.py',
    '../_base_/teachers/mvcnn_resnet18.py',
    '../_base_/schedules/adam_50e.py',
    '../_base_/default_runtime.py',
]

model = _base_.teacher
