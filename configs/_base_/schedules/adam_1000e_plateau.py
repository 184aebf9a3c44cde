# Adam, learning rate halved when the validation accuracy has not improved for 10 epochs:
# SimpleView's recipe for ModelNet40. Its authors use the training loss instead of the accuracy.
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
