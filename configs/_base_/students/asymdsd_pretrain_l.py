# What AsymDSD pre-trains, size L. The paper has no result of it.
_base_ = './asymdsd_pretrain_s.py'
student = dict(
    backbone=dict(
        preset='asymdsd_l',
        drop_path=0.4,
        drop_path_ramp=False,
        efficient_drop_path=True,
        checkpointing=True,
    ),
    projection=dict(hidden_channels=(2048, 2048)),
    predictor=dict(embed_dims=512, num_heads=8),
)
