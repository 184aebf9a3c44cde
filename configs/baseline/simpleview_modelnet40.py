# SimpleView with its authors' recipe.
_base_ = [
    '../_base_/students/simpleview.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_1000e_plateau.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/simpleview_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
batch_size = 18
train_dataloader = dict(batch_size=batch_size)
