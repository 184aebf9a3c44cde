# A small PointNet++ on the parts of generated furniture: a minute or two on two cores.
_base_ = [
    '../_base_/datasets/syntheticscans_parts.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/partseg_runtime.py',
]

model = dict(
    type='PartSegmentor',
    backbone=dict(
        type='PointNet2SSG',
        num_points=(128, 32),
        radii=(0.2, 0.4),
        num_neighbors=(16, 16),
        mlp_channels=((32, 32, 64), (64, 64, 128)),
        global_channels=(128, 256),
    ),
    decode_head=dict(
        type='PointNet2DecodeHead',
        propagations=((128,), (128, 64), (64, 64)),
        hidden_channels=(64,),
    ),
)
