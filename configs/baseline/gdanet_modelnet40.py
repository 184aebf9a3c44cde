_base_ = [
    '../_base_/students/gdanet.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
max_epochs = 350
batch_size = 64
auto_scale_lr = dict(base_batch_size=batch_size)
