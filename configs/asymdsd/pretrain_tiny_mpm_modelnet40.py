# The small form of AsymSD-MPM: hidden patches of one crop, no class token.
_base_ = './pretrain_tiny_modelnet40.py'
global_crops = dict(count=1, num_points=256, fraction=(0.4, 1.0))
local_crops = None

model = dict(
    student=dict(backbone=dict(class_token=False, pool=('mean', 'max'))),
    losses=dict(_delete_=True, patch=_base_.loss, regression=dict(type='FeatureSmoothL1Loss')),
    num_masks=4,
)
custom_hooks = _base_.ema_hooks + _base_.patch_hooks
