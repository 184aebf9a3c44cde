# Adam, learning rate times 0.7 every 20 epochs, the first time after 19: RepSurf's recipe.
_base_ = './_epochs.py'
base_batch_size = 64
max_epochs = 250
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr, weight_decay=1e-4))
param_scheduler = dict(
    type='MultiStepLR', milestones=list(range(19, max_epochs, 20)), gamma=0.7, by_epoch=True
)
