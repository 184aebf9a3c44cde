# PointCMT, Table 7: features of two modalities, brought to one scale or not.
title = 'PointCMT: normalisation of features (Table 7)'
note = (
    'PointNet++ on ModelNet40, its teacher on rendered views; regression of the feature with the '
    'weight 1, which the paper does not state. The paper calls the row without normalisation '
    '"Hinton et al.".'
)
metrics = ('accuracy',)
reference = 'student alone'
_first = '../kd/normalize1_views_pointnet2_msg_modelnet40_views.py'
_second = '../kd/normalize2_views_pointnet2_msg_modelnet40_views.py'
rows = [
    dict(label='student alone', config=_first, alone=True, published=93.4),
    dict(
        label='no normalisation',
        config=_first,
        options={'model.losses.feature.variant': 'none'},
        published=93.1,
    ),
    dict(label='Normalize-I', config=_first, published=93.4),
    dict(label='Normalize-II', config=_second, published=93.5),
    dict(label='PointCMT', config='../pointcmt/pointnet2_modelnet40_views.py', published=94.4),
]
