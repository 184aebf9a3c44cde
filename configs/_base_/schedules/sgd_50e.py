# SGD at a constant learning rate for 50 epochs: stage I in PointCMT's text. The text gives the
# learning rate and the batch of 128; momentum, weight decay and the number of epochs are ours.
_base_ = './_epochs.py'
max_epochs = 50
lr = 0.01
base_batch_size = 128
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=1e-4)
)
