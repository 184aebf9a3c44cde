# PointCMT, table of part segmentation: the encoder starts from PointCMT's stage III on ModelNet40,
# and all of the network is trained. Published: 85.6 instance and 82.6 class IoU, without images
# 85.3 and 82.0.
_base_ = './pointnet2_msg_shapenetpart.py'
requires = dict(encoder='../pointcmt/pointnet2_modelnet40.py')
# The stages before have other data: options of these names are for part segmentation alone.
own_variables = (
    *_base_.own_variables,
    *('data_root', 'num_points', 'batch_size', 'val_fraction', 'max_epochs', 'lr'),
)

model = dict(
    backbone=dict(
        init_cfg=dict(_delete_=True, type='PretrainedBackbone', checkpoint='stage:encoder')
    )
)
