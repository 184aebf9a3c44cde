# PointCMT, appendix: with a part of ModelNet40's training set.
title = 'PointCMT with 2, 5, 10 and 20 % of the training set'
note = (
    'PointNet++ on ModelNet40, teacher on projections. The parts are stratified by class, with '
    'subset_seed 0. The paper does not say whether teacher and generator saw more than the part, '
    'nor which views they saw; its number stands in the row of a teacher on the part. The numbers '
    'of epochs are those of the whole set, so that a part takes fewer steps.'
)
metrics = ('accuracy',)
columns = {f'p{share}': f'{share} %' for share in (2, 5, 10, 20)}
reference = 'student alone'
_config = '../pointcmt/pointnet2_modelnet40.py'
_published = {
    'student alone': dict(p2=73.3, p5=82.1, p10=85.1, p20=88.4),
    'teacher on the part': dict(p2=75.2, p5=83.5, p10=87.9, p20=89.3),
    'teacher on all data': {},
}
_stages = ('teacher', 'generator')
rows = [
    dict(
        label=label,
        config=_config,
        alone=label == 'student alone',
        cells={
            column: dict(
                options=dict(train_size=int(column[1:]) / 100),
                stage_options={
                    f'{stage}.train_size': int(column[1:]) / 100
                    for stage in (_stages if label == 'teacher on the part' else ())
                },
                published=published.get(column),
            )
            for column in columns
        },
    )
    for label, published in _published.items()
]
