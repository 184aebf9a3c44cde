# AsymDSD-L on ShapeNet. The code has this size; the paper has no result of it.
_base_ = [
    '../_base_/students/asymdsd_pretrain_l.py',
    '../_base_/teachers/ema.py',
    '../_base_/datasets/crops_shapenet55.py',
    '../_base_/schedules/asymdsd_300e.py',
    '../_base_/pretrain_runtime.py',
]

loss = dict(type='SelfDistillationLoss', num_prototypes=_base_.num_prototypes)
model = dict(
    type='AsymDSD',
    student=_base_.student,
    teachers=dict(ema=_base_.teacher),
    losses=dict(cls=loss, patch=loss, koleo=dict(type='KoLeoLoss', loss_weight=0.01)),
    num_masks=4,
    masks=dict(ratio=0.7, kind='inverse_block'),
    local_patches=16,
)
model_wrapper_cfg = dict(type='FullyShardedModel')  # where several processes train
custom_hooks = _base_.ema_hooks + _base_.cls_hooks + _base_.patch_hooks
