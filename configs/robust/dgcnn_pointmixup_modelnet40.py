# PointMixup on DGCNN with the recipe of ModelNet40-C's code: every batch is mixed.
_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_1000e_plateau.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.data_preprocessor = dict(
    type='PointDataPreprocessor', batch_augments=dict(augments=dict(type='PointMixup'))
)
max_epochs = 300
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
auto_scale_lr = dict(base_batch_size=_base_.batch_size)
