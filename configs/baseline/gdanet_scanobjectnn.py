# GDANet's recipe is for ModelNet40; none was published for ScanObjectNN.
_base_ = [
    '../_base_/students/gdanet.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/gdanet_scanobjectnn'

model = _base_.student
model.head.num_classes = _base_.num_classes
max_epochs = 350
param_scheduler = dict(T_max=max_epochs)
train_cfg = dict(max_epochs=max_epochs)
batch_size = 64
train_dataloader = dict(batch_size=batch_size)
auto_scale_lr = dict(base_batch_size=batch_size)
