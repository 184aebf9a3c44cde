# AsymDSD's pre-training on ShapeNet: AdamW, 10 epochs warm-up to 5e-4, cosine to 1e-6, step by
# step; the teacher's momentum rises along a cosine to 1; temperatures rise over the first 10
# epochs. The file goes with ../pretrain_runtime.py.
_base_ = './_epochs.py'
max_epochs = 300
warmup_epochs = 10
temperature_epochs = warmup_epochs  # until the teacher's temperatures are reached
momentum = 0.995  # of the teacher, at the start
base_batch_size = 128
lr = 5e-4

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=lr, betas=(0.9, 0.999), weight_decay=0.05),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-7 / lr,
        end=warmup_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - warmup_epochs,
        eta_min=1e-6,
        begin=warmup_epochs,
        end=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
ema_hooks = [
    dict(
        type='ScheduleHook',
        attribute='teachers.ema.momentum',
        start=momentum,
        end=1.0,
        curve='cosine',
    ),
]
cls_hooks = [
    dict(
        type='ScheduleHook',
        attribute='losses.cls.teacher_temperature',
        start=0.04,
        end=0.07,
        epochs=temperature_epochs,
    )
]
patch_hooks = [
    dict(
        type='ScheduleHook',
        attribute='losses.patch.teacher_temperature',
        start=0.05,
        end=0.07,
        epochs=temperature_epochs,
    )
]
val_cfg = None
test_cfg = None
