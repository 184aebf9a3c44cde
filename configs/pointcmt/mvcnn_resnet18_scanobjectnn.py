# PointCMT, stage I: the multi-view image teacher (from scratch, as on this data set in the paper).
_base_ = [
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/teachers/mvcnn_resnet18.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.teacher
