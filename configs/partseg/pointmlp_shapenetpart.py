# PointMLP's classification encoder at a quarter of the points per stage, with the decoder and the
# recipe of its authors: coordinates as stored, no augmentation. Their encoder sees normals too.
_base_ = [
    '../_base_/students/pointmlp.py',
    '../_base_/datasets/shapenetpart.py',
    '../_base_/schedules/adam_350e_step40.py',
    '../_base_/partseg_runtime.py',
]
normalize = []
augment = []
batch_size = 32
xavier = dict(type='Xavier', layer='Linear', distribution='normal')

model = dict(
    type='PartSegmentor',
    backbone=dict(
        _base_.student.backbone,
        num_points=(512, 128, 32, 8),
        num_neighbors=32,
        init_cfg=xavier,
    ),
    decode_head=dict(type='PointMLPDecodeHead', init_cfg=xavier),
)
