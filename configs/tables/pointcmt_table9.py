# PointCMT, Table 9: accuracy of the image teachers.
title = 'PointCMT: the image teachers (Table 9)'
note = (
    'The published teacher on rendered views starts from ImageNet; here all start from random '
    'weights unless --cfg-options pretrained=FILE is given.'
)
metrics = ('accuracy',)
columns = dict(modelnet40='ModelNet40', obj_only='OBJ_ONLY', scanobjectnn='PB_T50_RS')
rows = [
    dict(
        label='rendered views of CAD models',
        cells=dict(
            modelnet40=dict(config='../pointcmt/mvcnn_resnet18_modelnet40_views.py', published=97.0)
        ),
    ),
    dict(
        label='projections of the points',
        cells={
            column: dict(config=f'../pointcmt/mvcnn_resnet18_{column}.py', published=published)
            for column, published in zip(columns, (93.8, 89.0, 80.8))
        },
    ),
    dict(label='projections with colour', cells=dict(obj_only=dict(published=87.5))),
]
