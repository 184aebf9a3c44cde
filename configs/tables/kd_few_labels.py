# The usual distillation methods where labels are few: 128 labelled clouds, 1,920 without.
title = 'Distillation methods with 128 labels'
note = (
    'Small PointNet (85,096 parameters) on 128 of 1,024 points, 8 epochs over 2,048 training '
    'shapes of ModelNet40, of which 128 have labels; the image teacher sees 1,024 points and all '
    "labels. Weights are the methods' defaults, not tuned; both features have 128 channels."
)
metrics = ('accuracy',)
reference = 'student alone'
_connector = dict(type='Connector', in_channels=128, out_channels=128)
_embedding = dict(_connector, unit_length=True)


def _on_features(connector=None, **loss):
    helpers = {'model.helpers': dict(connector=connector)} if connector else {}
    losses = dict(_delete_=True, feature=loss)
    return {'model.type': 'FeatureKD', 'model.losses': losses, **helpers}


_methods = {
    'Hinton (logits)': {},
    'DKD': {'model.losses.logit': dict(_delete_=True, type='DecoupledKDLoss')},
    'FitNet': _on_features(_connector, type='FeatureMSELoss', loss_weight=100.0),
    'Normalize-I': _on_features(type='NormalizedMSELoss', variant='I'),
    'Normalize-II': _on_features(type='NormalizedMSELoss', variant='II'),
    'VID': _on_features(
        dict(_connector, hidden_channels=(128, 128), act='relu', last_act=False, bias=False),
        type='VariationalLoss',
        channels=128,
    ),
    'RKD': _on_features(type='RelationalKDLoss'),
    'SP': _on_features(type='SimilarityPreservingLoss'),
    'PKT': _on_features(type='ProbabilisticTransferLoss'),
    'CRD (1,024 negatives)': {
        'model.type': 'CRD',
        'model.losses': dict(_delete_=True, contrast=dict(type='NoiseContrastLoss')),
        'model.helpers': dict(
            student=_embedding,
            teacher=_embedding,
            memory=dict(type='ContrastMemory', negatives=1024),
        ),
    },
    'SRRL': {
        'model.type': 'SRRL',
        'model.losses': dict(
            _delete_=True, feature=dict(type='FeatureMSELoss'), logit=dict(type='LogitMSELoss')
        ),
        'model.helpers': dict(
            connector=dict(
                _connector,
                norm='bn',
                act='relu',
                bias=False,
                init_cfg=dict(type='Normal', layer='Linear', std=0.125),
            ),
            classifier=dict(type='FrozenClassifier', checkpoint='stage:teacher'),
        ),
    },
}
_size = {'train_split': 'trainval', 'train_size': 2048, 'max_epochs': 8}
_config = '../few_labels/hinton_modelnet40.py'
rows = [
    dict(
        label='student alone',
        config='../few_labels/alone_modelnet40.py',
        options={**_size, 'train_cfg.val_interval': 1000},
    ),
    *(
        dict(
            label=label,
            config=_config,
            options={**_size, 'train_cfg.val_interval': 1000, **options},
            stage_options={'teacher.max_epochs': 10},
        )
        for label, options in _methods.items()
    ),
]
