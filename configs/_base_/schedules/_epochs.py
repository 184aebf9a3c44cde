# What every schedule counts: epochs, with validation after each. A schedule's file says how many.
max_epochs = 1
base_batch_size = 32  # of the learning rate, for --auto-scale-lr
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=base_batch_size)
