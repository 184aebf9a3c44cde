# Point-MAE's transformer with its authors' decoder and recipe. Its pre-trained encoder has no class
# token there.
_base_ = [
    '../_base_/datasets/shapenetpart.py',
    '../_base_/schedules/adamw_cosine_300e.py',
    '../_base_/partseg_runtime.py',
]
lr = 2e-4
base_batch_size = 16

model = dict(
    type='PartSegmentor',
    backbone=dict(
        type='PointViT',
        preset='point_mae',
        num_patches=128,
        class_token=False,
        pool=('mean', 'max'),
    ),
    decode_head=dict(type='PointViTDecodeHead'),
)
