# PointCMT, Table 6: what the teacher sees.
title = 'PointCMT: kinds of views (Table 6)'
note = (
    'PointNet++. Colours are only in the raw files of ScanObjectNN, and the paper does not say how '
    'it projects them: that row shows the published number alone.'
)
metrics = ('accuracy',)
columns = dict(modelnet40='ModelNet40', obj_only='OBJ_ONLY')
reference = 'student alone'
_projections = {
    'modelnet40': '../pointcmt/pointnet2_modelnet40.py',
    'obj_only': '../pointcmt/pointnet2_obj_only.py',
}
rows = [
    dict(
        label='student alone',
        alone=True,
        cells={column: dict(config=file) for column, file in _projections.items()},
    ),
    dict(
        label='rendered views of CAD models',
        cells=dict(
            modelnet40=dict(config='../pointcmt/pointnet2_modelnet40_views.py', published=94.4)
        ),
    ),
    dict(
        label='projections of the points',
        cells={
            column: dict(config=file, published=published)
            for (column, file), published in zip(_projections.items(), (94.0, 91.8))
        },
    ),
    dict(label='projections with colour', cells=dict(obj_only=dict(published=90.7))),
]
