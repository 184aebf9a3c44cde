# Logit distillation (Hinton et al., 2015) at several temperatures.
title = 'Logit distillation: temperature'
note = (
    'PointNet++ SSG on PB_T50_RS, taught by the multi-view teacher on projections, weight 0.9 '
    'beside the loss on labels. Nothing is published; PointCMT uses its Eq. 6 at T = 1.'
)
metrics = ('accuracy', 'mean_class_accuracy')
reference = 'student alone'
_config = '../kd/hinton_views_pointnet2_scanobjectnn.py'
rows = [
    dict(label='student alone', config=_config, alone=True),
    *(
        dict(
            label=f'T = {temperature}',
            config=_config,
            options={'model.losses.logit.temperature': float(temperature)},
        )
        for temperature in (1, 2, 4, 8, 20)
    ),
]
