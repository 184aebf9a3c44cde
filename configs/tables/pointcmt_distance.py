# PointCMT's feature enhancement with other distances of the generated clouds.
title = 'PointCMT: distance of the generated clouds'
note = (
    'PointNet++ on ModelNet40, teacher on projections, feature enhancement only. Chamfer also '
    'trains the generator; L2 compares the i-th points of both generated clouds and leaves the '
    'generator as it is. Nothing is published. The weights are those of the earth mover and not '
    'tuned.'
)
metrics = ('accuracy',)
reference = 'student alone'
_config = '../pointcmt/pointnet2_modelnet40.py'
_chamfer = dict(_delete_=True, type='ChamferLoss', loss_weight=30.0)
_exact = dict(type='EarthMoverLoss', loss_weight=30.0, normalize='centred', solver='auction')
_losses = {
    "earth mover's, as released": ({}, {}),
    "earth mover's, exact, boxes centred": ({'model.losses': dict(feature=_exact)}, {}),
    'Chamfer': (
        {'model.losses': dict(feature=dict(type='ChamferLoss', loss_weight=30.0))},
        {'generator.model.loss': _chamfer},
    ),
    'L2': ({'model.losses': dict(feature=dict(type='PointL2Loss', loss_weight=30.0))}, {}),
}
rows = [
    dict(label='student alone', config=_config, alone=True),
    *(
        dict(
            label=label,
            config=_config,
            options={'model.classifier_enhancement': False, **options},
            stage_options=stage_options,
        )
        for label, (options, stage_options) in _losses.items()
    ),
]
