# GDANet's recipe is for ModelNet40; none was published for ScanObjectNN.
_base_ = [
    '../_base_/students/gdanet.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
max_epochs = 350
batch_size = 64
auto_scale_lr = dict(base_batch_size=batch_size)
