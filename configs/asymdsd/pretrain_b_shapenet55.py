# AsymDSD-B on ShapeNet. Published results of B are of the Mixture of 930,752 clouds (50 epochs):
# fine-tuned 93.72 on PB_T50_RS, 94.7 on ModelNet40. Stochastic depth of the released code (the
# paper says 0.1).
_base_ = './pretrain_s_shapenet55.py'

model = dict(
    student=dict(
        backbone=dict(
            preset='asymdsd_b', drop_path=0.2, drop_path_ramp=False, efficient_drop_path=True
        ),
        predictor=dict(embed_dims=384, num_heads=6),
    )
)
