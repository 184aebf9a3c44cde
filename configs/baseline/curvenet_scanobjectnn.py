# CurveNet's recipe is for ModelNet40; none was published for ScanObjectNN.
_base_ = [
    '../_base_/students/curvenet.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
lr = 0.1
optim_wrapper = dict(clip_grad=dict(max_norm=1))
