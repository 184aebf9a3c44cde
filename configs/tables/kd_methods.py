# Distillation methods of the field, from the multi-view teacher to PointNet++.
title = 'Distillation methods on PB_T50_RS'
note = (
    'PointNet++ MSG, taught by the multi-view teacher on projections; weights and temperatures are '
    "those of the methods' authors or of mdistiller and not tuned. Published: PointCMT's Tables 5 "
    'and 4; for the others nothing is published with this teacher.'
)
metrics = ('accuracy', 'mean_class_accuracy')
reference = 'student alone'
_methods = {
    'Hinton (logits)': ('hinton', 81.8),
    'DKD': ('dkd', None),
    'FitNet': ('fitnet', None),
    'RKD': ('rkd', None),
    'SP': ('sp', None),
    'PKT': ('pkt', None),
    'VID': ('vid', None),
    'CRD': ('crd', None),
    'IE-KD': ('iekd', 82.0),
    'SRRL': ('srrl', 81.1),
    'Normalize-I': ('normalize1', None),
    'Normalize-II': ('normalize2', None),
}
_config = '../kd/{}_views_pointnet2_msg_scanobjectnn.py'
rows = [
    dict(label='student alone', config=_config.format('hinton'), alone=True, published=79.4),
    *(
        dict(label=label, config=_config.format(name), published=published)
        for label, (name, published) in _methods.items()
    ),
    dict(
        label='PointCMT',
        config='../pointcmt/pointnet2_scanobjectnn.py',
        published=83.3,
    ),
]
