# PointCMT with a generator of one layer, as in the released code, or of three, as in the paper.
title = 'PointCMT: depth of the point generator'
note = (
    'PointNet++ on ModelNet40, teacher on projections. The text says three layers (94.4 with a '
    'teacher on rendered views) and gives no widths; the released code has one (94.6 in its '
    'read-me, votes not stated). No comparison of the two is published.'
)
metrics = ('accuracy',)
reference = 'student alone'
_config = '../pointcmt/pointnet2_modelnet40.py'
rows = [
    dict(label='student alone', config=_config, alone=True),
    dict(label='one layer', config=_config),
    dict(
        label='two layers',
        config=_config,
        stage_options={
            'generator.model.preset': 'paper',
            'generator.model.hidden_channels': (1024,),
        },
    ),
    dict(label='three layers', config=_config, stage_options={'generator.model.preset': 'paper'}),
]
