# PointCMT, Table 2: classification on ScanObjectNN.
title = 'PointCMT on ScanObjectNN (Table 2)'
note = (
    'Published: mean and deviation of four runs, epochs chosen on the test set. The paper trains '
    'all students with SGD for 1,000 epochs and gives no learning rate; here each has its own '
    'recipe.'
)
metrics = ('accuracy', 'mean_class_accuracy')
columns = dict(obj_only='OBJ_ONLY', scanobjectnn='PB_T50_RS')
_published = {
    ('PointNet++', 'obj_only'): (('87.4 ± 0.1', '85.4 ± 0.2'), ('91.6 ± 0.2', '89.0 ± 0.3')),
    ('PointMLP', 'obj_only'): (('92.2 ± 0.3', '89.1 ± 0.3'), ('93.2 ± 0.3', '91.8 ± 0.2')),
    ('PointNet++', 'scanobjectnn'): (('79.2 ± 0.2', '75.5 ± 0.3'), ('83.1 ± 0.2', '79.9 ± 0.3')),
    ('PointMLP', 'scanobjectnn'): (('85.4 ± 0.3', '83.9 ± 0.5'), ('86.4 ± 0.3', '84.4 ± 0.4')),
}
rows = [
    dict(
        label=f'{student}{words}',
        alone=alone,
        cells={
            column: dict(
                config=f'../pointcmt/{name}_{column}.py',
                published=dict(zip(metrics, _published[student, column][not alone])),
            )
            for column in columns
        },
    )
    for student, name in (('PointNet++', 'pointnet2'), ('PointMLP', 'pointmlp'))
    for words, alone in (('', True), (' + PointCMT', False))
]
