# WOLFMix on PointNet++ SSG: PointWOLF, then RSMix, with the schedule of RSMix's authors.
_base_ = [
    '../_base_/students/pointnet2_ssg.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_200e_step.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.data_preprocessor = dict(
    type='PointDataPreprocessor', batch_augments=dict(augments=dict(type='RSMix'), probs=0.5)
)
max_epochs = 250
optim_wrapper = dict(optimizer=dict(weight_decay=0))
custom_hooks = [dict(type='BatchNormMomentumHook', initial=0.5, factor=0.5, step=20, floor=0.01)]
batch_size = 16
auto_scale_lr = dict(base_batch_size=batch_size)
train_pipeline = [
    *_base_.eval_pipeline[:-1],
    dict(type='PointWOLF'),
    dict(type='ShufflePoints'),
    _base_.eval_pipeline[-1],
]
