# AdamW for 150 epochs in two stages, step by step: 50 epochs for the head alone, falling in a line
# from 5e-4 to 5e-5; then all, with 10 epochs of warm-up from 1e-7 to 2e-5 and a cosine to 1e-7.
# AsymDSD's recipe for ModelNet40; goes with freeze_hook.
_base_ = './_epochs.py'
max_epochs = 150
head_epochs = 50
warmup_epochs = 10
head_lr = 5e-4
head_min_lr = 5e-5
lr = 2e-5
min_lr = 1e-7
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=head_lr, weight_decay=0.05)
)
# each takes the rate that the one before it has left
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1.0,
        end_factor=head_min_lr / head_lr,
        end=head_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(
        type='LinearLR',
        start_factor=1e-7 / head_min_lr,
        end_factor=lr / head_min_lr,
        begin=head_epochs,
        end=head_epochs + warmup_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - head_epochs - warmup_epochs,
        eta_min=min_lr,
        begin=head_epochs + warmup_epochs,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
freeze_hook = dict(type='FreezeBackboneHook', epochs=head_epochs)
