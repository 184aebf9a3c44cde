# AdamW for 150 epochs, 10 of them warm-up from 1e-7, cosine to min_lr, step by step: AsymDSD's
# recipe. From scratch the rate is 1e-3; fine-tuning, probes and few-shot tasks set another one.
_base_ = './_epochs.py'
max_epochs = 150
warmup_epochs = 10
lr = 1e-3
min_lr = 1e-7
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-7 / lr,
        end=warmup_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - warmup_epochs,
        eta_min=min_lr,
        begin=warmup_epochs,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
