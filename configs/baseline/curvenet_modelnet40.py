_base_ = [
    '../_base_/students/curvenet.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/curvenet_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
lr = 0.1
optim_wrapper = dict(optimizer=dict(lr=lr), clip_grad=dict(max_norm=1))
param_scheduler = dict(eta_min=lr / 100)
