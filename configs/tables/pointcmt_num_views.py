# PointCMT with fewer views.
title = 'PointCMT: number of views'
note = (
    'PointNet++ on ModelNet40. Of the 20 rendered views the first n are used, of the 6 projections '
    'too (four from the sides, then from above and below). Only the largest numbers are published.'
)
metrics = ('accuracy',)
columns = dict(rendered='rendered views', projected='projections')
reference = 'student alone'
_rendered = '../pointcmt/pointnet2_modelnet40_views.py'
_projected = '../pointcmt/pointnet2_modelnet40.py'
_projection = 'teacher.model.data_preprocessor.views.num_views'
_views = {1: 'one view', 2: 'two', 4: 'four', 6: 'six', 12: 'twelve', 20: 'twenty'}
rows = [
    dict(
        label='student alone',
        alone=True,
        cells=dict(rendered=dict(config=_rendered), projected=dict(config=_projected)),
    ),
    *(
        dict(
            label=label,
            cells=dict(
                rendered=dict(
                    config=_rendered,
                    options=dict(num_views=views),
                    published={20: 94.4}.get(views),
                ),
                **(
                    dict(
                        projected=dict(
                            config=_projected,
                            stage_options={_projection: views},
                            published={6: 94.0}.get(views),
                        )
                    )
                    if views <= 6
                    else {}
                ),
            ),
        )
        for views, label in _views.items()
    ),
]
