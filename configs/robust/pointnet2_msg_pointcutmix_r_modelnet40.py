# PointCutMix-R on PointNet++ MSG with the recipe of ModelNet40-C's code.
_base_ = [
    '../_base_/students/pointnet2_msg.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_1000e_plateau.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.data_preprocessor = dict(
    type='PointDataPreprocessor',
    batch_augments=dict(augments=dict(type='PointCutMix', variant='R'), probs=0.5),
)
max_epochs = 300
auto_scale_lr = dict(base_batch_size=_base_.batch_size)
