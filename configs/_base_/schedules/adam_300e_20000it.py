# Adam, learning rate times 0.7 every 20,000 iterations (200,000 samples): SimpleView's recipe for
# ScanObjectNN. Its batch-norm momentum decreases too: add BatchNormMomentumHook.
_base_ = './_epochs.py'
base_batch_size = 10
max_epochs = 300
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr))
param_scheduler = dict(type='StepLR', step_size=20000, gamma=0.7, by_epoch=False)
