# SimpleView with its authors' recipe; their network for this data set has pre-activation blocks.
_base_ = [
    '../_base_/students/simpleview.py',
    '../_base_/datasets/scanobjectnn_simpleview.py',
    '../_base_/schedules/adam_300e_20000it.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.head.loss = dict(type='CrossEntropyLoss')
batch_size = 10
custom_hooks = [
    dict(
        type='BatchNormMomentumHook',
        initial=0.5,
        factor=0.5,
        step=20000,
        floor=0.01,
        by_epoch=False,
    )
]
