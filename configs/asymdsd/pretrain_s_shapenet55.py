# AsymDSD-S on ShapeNet: class token and hidden patches. Published after 300 epochs (122,700 steps
# of 128): linear SVM 82.34 on PB_T50_RS, 93.03 on ModelNet40; fine-tuned 90.53 and 94.1 OA.
_base_ = [
    '../_base_/students/asymdsd_pretrain_s.py',
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
custom_hooks = _base_.ema_hooks + _base_.cls_hooks + _base_.patch_hooks
