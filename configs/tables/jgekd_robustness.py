# JGEKD: self-distillation from clean to corrupted views, on both suites of corruptions.
title = 'JGEKD: robustness to corruptions'
note = (
    'Students on ModelNet40. "Clean views": the student alone. "Two views": clean and corrupted '
    'views with labels, without distillation. JGEKD publishes no number on these suites that '
    'could be found. Published numbers of the suites are of their own recipes; ModelNet40-C has '
    'multi-scale PointNet++. ER and mCE: lower is better.'
)
metrics = ('er', 'clean_er', 'mce', 'rmce')
columns = dict(
    modelnet40c=dict(label='ModelNet40-C', metrics=('er', 'clean_er')),
    modelnetc=dict(label='ModelNet-C', metrics=('mce', 'rmce')),
)
_suites = dict(modelnet40c='modelnet40-c', modelnetc='modelnet-c')
_students = {
    'PointNet++': ('pointnet2', (23.6, 7.0), (1.072, 1.114)),
    'DGCNN': ('dgcnn', (25.9, 7.4), (1.0, 1.0)),
    'PointMLP': ('pointmlp', (31.9, 6.3), ()),
    'RepSurf-U 2x': ('repsurf_2x', (), ()),
}
_ways = {
    'clean views': dict(alone=True),
    'two views': dict(options={'model.losses.graph.loss_weight': 0.0}),
    'JGEKD': {},
}
rows = [
    dict(
        label=f'{student}, {way}',
        config=f'../jgekd/{name}_self_modelnet40.py',
        **settings,
        cells={
            column: dict(
                suite=suite,
                published=dict(zip(of_column, numbers)) if settings.get('alone') else None,
            )
            for (column, suite), of_column, numbers in zip(
                _suites.items(), (metrics[:2], metrics[2:]), (on_40c, on_c)
            )
        },
    )
    for student, (name, on_40c, on_c) in _students.items()
    for way, settings in _ways.items()
]
