_base_ = [
    '../_base_/students/gdanet.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/gdanet_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
max_epochs = 350
param_scheduler = dict(T_max=max_epochs)
train_cfg = dict(max_epochs=max_epochs)
batch_size = 64
train_dataloader = dict(batch_size=batch_size)
auto_scale_lr = dict(base_batch_size=batch_size)
