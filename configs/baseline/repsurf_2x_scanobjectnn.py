# RepSurf-U with its authors' recipe.
_base_ = [
    '../_base_/students/repsurf_2x.py',
    '../_base_/datasets/scanobjectnn_repsurf.py',
    '../_base_/schedules/adam_250e_step.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/repsurf_2x_scanobjectnn'

model = _base_.student
model.head.num_classes = _base_.num_classes
batch_size = 64
train_dataloader = dict(batch_size=batch_size)
