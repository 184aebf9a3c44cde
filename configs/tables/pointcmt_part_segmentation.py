# PointCMT, appendix: part segmentation from encoders trained on ModelNet40.
title = 'PointCMT: part segmentation on ShapeNetPart'
note = (
    'PointNet++ MSG. The encoder of the second and third row was trained on ModelNet40, with a '
    'teacher on projections in the third. Whether the published encoder stays frozen is not '
    'known; here all of the network is trained. Shapes are scored by the official convention.'
)
metrics = ('instance_miou', 'class_miou')
_encoded = '../partseg/pointnet2_msg_pointcmt_shapenetpart.py'
_off = {
    f'encoder.model.{term}_enhancement': False for term in ('feature', 'classifier')
}  # the student alone, by the same recipe
rows = [
    dict(label='from scratch', config='../partseg/pointnet2_msg_shapenetpart.py'),
    dict(
        label='encoder of the student alone',
        config=_encoded,
        stage_options=_off,
        published=dict(instance_miou=85.3, class_miou=82.0),
    ),
    dict(
        label='encoder of PointCMT',
        config=_encoded,
        published=dict(instance_miou=85.6, class_miou=82.6),
    ),
]
