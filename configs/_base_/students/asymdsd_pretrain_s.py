# What AsymDSD pre-trains (NeurIPS 2025), size S: the transformer, projection heads, a predictor.
num_prototypes = 4096
student = dict(
    type='MaskedPointEncoder',
    backbone=dict(type='PointViT', preset='asymdsd_s', num_patches=64, drop_path=0.0),
    projection=dict(num_prototypes=num_prototypes, hidden_channels=(1024, 1024), bottleneck=256),
    predictor=dict(embed_dims=192, depth=6, num_heads=3),
)
