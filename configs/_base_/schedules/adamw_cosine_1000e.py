# AdamW for 1,000 epochs, cosine to 0: the recipe of PointCMT's released code for PointNet++.
_base_ = './_epochs.py'
max_epochs = 1000
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05))
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, by_epoch=True)
