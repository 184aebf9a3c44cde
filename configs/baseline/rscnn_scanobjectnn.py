# RS-CNN with its authors' recipe for ModelNet40, as PointCMT trains it.
_base_ = [
    '../_base_/students/rscnn.py',
    '../_base_/datasets/scanobjectnn_rscnn.py',
    '../_base_/schedules/adam_200e_step21.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
custom_hooks = [dict(type='BatchNormMomentumHook', initial=0.9, factor=0.5, step=21, floor=0.01)]
