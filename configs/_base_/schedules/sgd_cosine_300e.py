# SGD for 300 epochs, cosine to 0.005, gradients clipped: PointMLP's recipe for ModelNet40.
_base_ = './_epochs.py'
max_epochs = 300
lr = 0.1
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=2e-4),
    clip_grad=dict(max_norm=1),
)
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0.005, by_epoch=True)
