# Adam, learning rate halved where the validation accuracy has not grown for 10 epochs: SimpleView's
# recipe for ModelNet40, whose authors watch the training loss instead.
_base_ = './_epochs.py'
base_batch_size = 18
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
