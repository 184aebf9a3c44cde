# Distillation where labels are few: five numbers of labels, all other training shapes without.
title = 'ModelNet40 with few labels: an image teacher speaks about all shapes'
note = (
    'Small PointNet (85,096 parameters) on 128 of 1,024 points, 6 epochs over all training shapes; '
    'the image teacher sees 1,024 points and all labels. Each seed draws its own labelled shapes, '
    'the same ones for all rows. "student alone" sees its labelled shapes in as many steps. Two '
    'rows are controls without a teacher: the average of the own weights, and self-training.'
)
metrics = ('accuracy',)
axis = 'training shapes with a label, %'
_labels = dict(n128=(128, 1.6), p2=(0.02, 2), p5=(0.05, 5), p10=(0.1, 10), p20=(0.2, 20))
columns = {
    name: dict(label='128' if name == 'n128' else f'{x} %', x=x) for name, (_, x) in _labels.items()
}
reference = 'student alone'
_common = {'train_split': 'trainval', 'train_cfg.val_interval': 1000, 'subset_seed': '{seed}'}
_teacher = {'teacher.max_epochs': 10, 'generator.max_epochs': 10}
_rows = {
    'student alone': 'alone',
    'mean teacher (control)': 'mean_teacher',
    'self-training (control)': 'self_training',
    'PointCMT': 'pointcmt',
    'Hinton': 'hinton',
    'JGEKD': 'jgekd',
}
rows = [
    dict(
        label=label,
        config=f'../few_labels/{name}_modelnet40.py',
        cells={
            column: dict(
                options=dict(_common, max_epochs=6, labels=labels),
                stage_options={
                    'teacher.labels': labels,
                    'teacher.subset_seed': '{seed}',
                    'teacher.max_epochs': 6,
                    'teacher.randomness.seed': '{seed}',
                }
                if name == 'self_training'
                else {
                    key: value
                    for key, value in _teacher.items()
                    if key[:7] == 'teacher' or name == 'pointcmt'
                }
                if name in ('pointcmt', 'hinton', 'jgekd')
                else {},
            )
            for column, (labels, _) in _labels.items()
        },
    )
    for label, name in _rows.items()
]
