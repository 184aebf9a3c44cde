# What AsymDSD pre-trains, size B; stochastic depth of the released code (the paper says 0.1).
_base_ = './asymdsd_pretrain_s.py'
student = dict(
    backbone=dict(
        preset='asymdsd_b', drop_path=0.2, drop_path_ramp=False, efficient_drop_path=True
    ),
    predictor=dict(embed_dims=384, num_heads=6),
)
