# Adam for 350 epochs, learning rate halved every 40 epochs: PointMLP's recipe for part
# segmentation.
_base_ = './_epochs.py'
max_epochs = 350
lr = 3e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr))
param_scheduler = dict(type='StepLR', step_size=40, gamma=0.5, by_epoch=True)
