# Adam, learning rate times 0.7 every 21 epochs: RS-CNN's recipe. Its batch-norm momentum
# decreases too: add BatchNormMomentumHook.
_base_ = './_epochs.py'
max_epochs = 200
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr))
param_scheduler = dict(type='StepLR', step_size=21, gamma=0.7, by_epoch=True)
