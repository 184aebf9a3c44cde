# Adam, learning rate times 0.7 every 21 epochs: RS-CNN's recipe. Its batch-norm momentum falls,
# too: BatchNormMomentumHook.
max_epochs = 200
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr))
param_scheduler = dict(type='StepLR', step_size=21, gamma=0.7, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=32)
