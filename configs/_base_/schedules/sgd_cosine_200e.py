# SGD for 200 epochs, cosine to a hundredth of the learning rate: PointMLP's recipe for
# ScanObjectNN.
max_epochs = 200
lr = 0.01
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=lr / 100, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=32)
