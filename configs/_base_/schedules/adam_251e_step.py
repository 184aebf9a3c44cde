# Adam for 251 epochs, learning rate halved every 20 epochs down to 1e-5: the recipe for part
# segmentation of the PyTorch port of PointNet++ (yanx27). There the batch-norm momentum is halved
# too: part_hooks.
_base_ = './_epochs.py'
max_epochs = 251
base_batch_size = 16
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr, weight_decay=1e-4))
param_scheduler = [
    dict(type='StepLR', step_size=20, gamma=0.5, end=140, by_epoch=True),
    dict(type='MultiStepLR', milestones=[140], gamma=1e-5 / (lr / 2**6), by_epoch=True),
]
part_hooks = [dict(type='BatchNormMomentumHook', initial=0.1, factor=0.5, step=20, floor=0.01)]
xavier = dict(type='Xavier', layer='Linear', distribution='normal')
