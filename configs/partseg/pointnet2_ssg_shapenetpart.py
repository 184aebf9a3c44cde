# The reference PointNet++ SSG for part segmentation (yanx27). It sees the coordinates as features
# too.
_base_ = [
    '../_base_/datasets/shapenetpart.py',
    '../_base_/schedules/adam_251e_step.py',
    '../_base_/partseg_runtime.py',
]
features = ('points',)

model = dict(
    type='PartSegmentor',
    backbone=dict(type='PointNet2SSG', in_channels=6, bias=True, init_cfg=_base_.xavier),
    decode_head=dict(
        type='PointNet2DecodeHead',
        propagations=((256, 256), (256, 128), (128, 128, 128)),
        bias=True,
        init_cfg=_base_.xavier,
    ),
)
custom_hooks = _base_.part_hooks
