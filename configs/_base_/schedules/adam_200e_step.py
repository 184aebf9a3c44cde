# Adam, learning rate times 0.7 every 20 epochs: the recipe of the PyTorch port of PointNet and
# PointNet++ (yanx27).
_base_ = './_epochs.py'
max_epochs = 200
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr, weight_decay=1e-4))
param_scheduler = dict(type='StepLR', step_size=20, gamma=0.7, by_epoch=True)
