# SGD for 200 epochs, cosine to a hundredth of the learning rate: PointMLP's recipe for
# ScanObjectNN.
_base_ = './_epochs.py'
max_epochs = 200
lr = 0.01
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=lr / 100, by_epoch=True)
