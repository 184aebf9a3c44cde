# RepSurf-U with its authors' recipe.
_base_ = [
    '../_base_/students/repsurf_2x.py',
    '../_base_/datasets/scanobjectnn_repsurf.py',
    '../_base_/schedules/adam_250e_step.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
batch_size = 64
