# RepSurf-U, twice as wide, with PointNeXt's recipe.
_base_ = [
    '../_base_/students/repsurf_2x.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/pointnext_600e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/repsurf_2x_modelnet40_pointnext'

model = _base_.student
model.head.num_classes = _base_.num_classes
model.head.loss = _base_.loss
