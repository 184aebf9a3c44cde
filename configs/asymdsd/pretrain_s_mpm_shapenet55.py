# AsymSD-MPM-S on ShapeNet: hidden patches of one crop, no class token. Published: linear SVM 81.06
# on PB_T50_RS, 93.31 on ModelNet40; fine-tuned 88.58 and 94.0 OA. The released config hides 70 % of
# the patches, the paper 80 % (masks=dict(ratio=0.8)).
_base_ = './pretrain_s_shapenet55.py'
global_crops = dict(count=1, num_points=1024, fraction=(0.4, 1.0))
local_crops = None

model = dict(
    student=dict(backbone=dict(class_token=False, pool=('mean', 'max'))),
    losses=dict(_delete_=True, patch=_base_.loss, regression=dict(type='FeatureSmoothL1Loss')),
    num_masks=8,
)
custom_hooks = _base_.ema_hooks + _base_.patch_hooks
