# A small AsymDSD on generated shapes: nothing to download.
_base_ = [
    '../_base_/students/asymdsd_pretrain_tiny.py',
    '../_base_/teachers/ema.py',
    '../_base_/datasets/crops_syntheticscans.py',
    '../_base_/schedules/asymdsd_300e.py',
    '../_base_/pretrain_runtime.py',
]
max_epochs = 50
warmup_epochs = 2
temperature_epochs = max_epochs  # a short run needs sharp targets for longer
momentum = 0.99
batch_size = 32
lr = 1e-3
global_crops = dict(count=2, num_points=256, fraction=(0.4, 1.0))
local_crops = dict(count=4, num_points=64, fraction=(0.05, 0.4))

loss = dict(type='SelfDistillationLoss', num_prototypes=_base_.num_prototypes)
model = dict(
    type='AsymDSD',
    student=_base_.student,
    teachers=dict(ema=_base_.teacher),
    losses=dict(cls=loss, patch=loss, koleo=dict(type='KoLeoLoss', loss_weight=0.01)),
    num_masks=2,
    masks=dict(ratio=0.7, kind='inverse_block'),
    local_patches=6,
)
custom_hooks = _base_.ema_hooks + _base_.cls_hooks + _base_.patch_hooks
