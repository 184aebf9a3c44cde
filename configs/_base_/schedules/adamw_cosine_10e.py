# AdamW for 10 epochs, cosine to 0: for small runs on generated data.
_base_ = './_epochs.py'
max_epochs = 10
lr = 2e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05))
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, by_epoch=True)
