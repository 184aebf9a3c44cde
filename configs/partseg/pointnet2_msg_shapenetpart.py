# PointNet++ MSG whose encoder is the classification network's, with the recipe of the PyTorch port
# (yanx27). Trained weights of the encoder fit unchanged: --load-backbone FILE.
_base_ = [
    '../_base_/students/pointnet2_msg.py',
    '../_base_/datasets/shapenetpart.py',
    '../_base_/schedules/adam_251e_step.py',
    '../_base_/partseg_runtime.py',
]

model = dict(
    type='PartSegmentor',
    backbone=dict(_base_.student.backbone, init_cfg=_base_.xavier),
    decode_head=dict(type='PointNet2DecodeHead', init_cfg=_base_.xavier),
)
custom_hooks = _base_.part_hooks
