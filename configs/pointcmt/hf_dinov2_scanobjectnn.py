# PointCMT, stage I with a model of today: DINOv2 stays as it is, a linear layer on it learns.
_base_ = [
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/teachers/hf_image.py',
    '../_base_/schedules/adam_50e.py',
    '../_base_/default_runtime.py',
]

model = _base_.teacher
custom_hooks = [dict(type='FreezeBackboneHook')]
