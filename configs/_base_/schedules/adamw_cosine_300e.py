# AdamW for 300 epochs, 10 of them warm-up, cosine to 1e-6, gradients clipped: Point-MAE's recipe
# for classification.
_base_ = './_epochs.py'
max_epochs = 300
warmup_epochs = 10
lr = 5e-4
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05),
    clip_grad=dict(max_norm=10),
    paramwise_cfg=dict(
        norm_decay_mult=0.0, bias_decay_mult=0.0, custom_keys={'cls_token': dict(decay_mult=0.0)}
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6 / lr, end=warmup_epochs, by_epoch=True),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - warmup_epochs,
        eta_min=1e-6,
        begin=warmup_epochs,
        by_epoch=True,
    ),
]
