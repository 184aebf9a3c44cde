# All schedules train by epochs, with validation after each. Each schedule sets max_epochs.
max_epochs = 1
base_batch_size = 32  # that the learning rate is meant for (--auto-scale-lr)
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=base_batch_size)
