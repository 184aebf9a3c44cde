# SGD for 300 epochs, cosine to 0.005, gradients clipped: PointMLP's recipe for ModelNet40.
max_epochs = 300
lr = 0.1
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=2e-4),
    clip_grad=dict(max_norm=1),
)
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0.005, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=32)
