# The reference PointNet++ MSG for part segmentation (yanx27), with normals. Its encoder is another
# one than the classification network's, and it sees the coordinates as features too.
_base_ = './pointnet2_msg_shapenetpart.py'
features = ('points', 'normals')

model = dict(
    backbone=dict(
        in_channels=9,
        radii=((0.1, 0.2, 0.4), (0.4, 0.8)),
        num_neighbors=((32, 64, 128), (64, 128)),
        mlp_channels=(
            ((32, 32, 64), (64, 64, 128), (64, 96, 128)),
            ((128, 128, 256), (128, 196, 256)),
        ),
        bias=True,
    ),
    decode_head=dict(bias=True),
)
