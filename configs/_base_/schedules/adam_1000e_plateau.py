# Adam, learning rate halved where the validation accuracy has not grown for 10 epochs: SimpleView's
# recipe for ModelNet40, whose authors watch the training loss instead.
max_epochs = 1000
lr = 1e-3
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=lr))
param_scheduler = dict(
    type='ReduceOnPlateauLR',
    monitor='accuracy',
    rule='greater',
    factor=0.5,
    patience=10,
    min_value=1e-5,
    by_epoch=True,
)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=18)
