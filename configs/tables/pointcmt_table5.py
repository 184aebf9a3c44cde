# PointCMT, Table 5: other distillation methods from the same teacher.
title = 'PointCMT: other distillation methods (Table 5)'
note = (
    'PointNet++. The teacher on ModelNet40 sees rendered views, that on ScanObjectNN projections. '
    'The paper states no weights and temperatures; the configs have those of the methods.'
)
metrics = ('accuracy',)
columns = dict(modelnet40_views='ModelNet40', scanobjectnn='PB_T50_RS')
reference = 'student alone'
_rows = {
    'student alone': ('kd/hinton_views_pointnet2_msg', (93.4, 79.4)),
    'Hinton et al. (logits)': ('kd/hinton_views_pointnet2_msg', (93.1, 81.8)),
    'Huang et al. (IE-KD)': ('kd/iekd_views_pointnet2_msg', (93.6, 82.0)),
    'Yang et al. (SRRL)': ('kd/srrl_views_pointnet2_msg', (93.9, 81.1)),
    'PointCMT': ('pointcmt/pointnet2', (94.4, 83.3)),
}
rows = [
    dict(
        label=label,
        alone=label == 'student alone',
        cells={
            column: dict(config=f'../{config}_{column}.py', published=value)
            for column, value in zip(columns, published)
        },
    )
    for label, (config, published) in _rows.items()
]
