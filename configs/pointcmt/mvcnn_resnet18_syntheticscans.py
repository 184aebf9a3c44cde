# PointCMT in minutes, stage I: a small multi-view image teacher on generated data.
_base_ = [
    '../_base_/datasets/syntheticscans.py',
    '../_base_/teachers/mvcnn_resnet18_small.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]

model = _base_.teacher
