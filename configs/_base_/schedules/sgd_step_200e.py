# SGD for 200 epochs, learning rate divided by ten after 120 and 160: Point Transformer's recipe for
# ModelNet40.
_base_ = './_epochs.py'
max_epochs = 200
lr = 0.05
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = dict(type='MultiStepLR', milestones=[120, 160], gamma=0.1, by_epoch=True)
