# AsymDSD-L on ShapeNet. The code has this size; the paper has no result of it.
_base_ = './pretrain_s_shapenet55.py'

model = dict(
    student=dict(
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
)
model_wrapper_cfg = dict(type='FullyShardedModel')  # where several processes train
