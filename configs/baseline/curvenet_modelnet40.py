_base_ = [
    '../_base_/students/curvenet.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
lr = 0.1
optim_wrapper = dict(clip_grad=dict(max_norm=1))
