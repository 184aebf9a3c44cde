# SGD at a constant learning rate for 30 epochs: step 1 of IE-KD. Its code gives the learning rate
# and the batch of 128; momentum and weight decay are those of its step 2.
_base_ = './_epochs.py'
max_epochs = 30
lr = 0.1
base_batch_size = 128
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=5e-4)
)
