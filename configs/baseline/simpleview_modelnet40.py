# SimpleView with its authors' recipe.
_base_ = [
    '../_base_/students/simpleview.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_1000e_plateau.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
batch_size = 18
