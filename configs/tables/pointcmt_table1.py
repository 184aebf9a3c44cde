# PointCMT, Table 1: classification on ModelNet40.
title = 'PointCMT on ModelNet40 (Table 1)'
note = (
    'Published students learn from a teacher on rendered views; so does PointNet++ here. DGCNN and '
    'RS-CNN learn from a teacher on projections, for which nothing is published. Published epochs '
    'are chosen on the test set, and the released code votes.'
)
metrics = ('accuracy', 'mean_class_accuracy')
_students = {
    'PointNet++': ('pointnet2_modelnet40_views', (93.4, 90.1), (94.4, 91.2)),
    'DGCNN': ('dgcnn_modelnet40', (92.9, 90.2), (93.5, 90.8)),
    'RS-CNN': ('rscnn_modelnet40', (92.9, 89.3), (93.8, 90.1)),
}
rows = [
    dict(
        label=f'{student}{words}',
        config=f'../pointcmt/{config}.py',
        alone=alone,
        published=dict(zip(metrics, (plain, taught)[not alone])),
    )
    for student, (config, plain, taught) in _students.items()
    for words, alone in (('', True), (' + PointCMT', False))
]
