# A small form of AsymDSD for a laptop: 24 patches of 12 points, 4 blocks of 96 channels. Not a
# published size.
num_prototypes = 512
student = dict(
    type='MaskedPointEncoder',
    backbone=dict(
        type='PointViT',
        preset='asymdsd_s',
        embed_dims=96,
        depth=4,
        num_heads=4,
        num_patches=24,
        patch_size=12,
        drop_path=0.0,
        tokenizer=dict(first=(32, 64), second=(128,)),
    ),
    projection=dict(num_prototypes=num_prototypes, hidden_channels=(256, 256), bottleneck=64),
    predictor=dict(embed_dims=48, depth=2, num_heads=2),
)
