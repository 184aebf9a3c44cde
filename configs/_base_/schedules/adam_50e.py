# Adam at a constant learning rate for 50 epochs: stages I and II of PointCMT's released code.
_base_ = './_epochs.py'
max_epochs = 50
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr, weight_decay=1e-4))
