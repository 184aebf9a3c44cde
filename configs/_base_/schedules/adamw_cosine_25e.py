# AdamW for 25 epochs, cosine to 0: for small runs on generated data.
max_epochs = 25
lr = 2e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05))
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=32)
