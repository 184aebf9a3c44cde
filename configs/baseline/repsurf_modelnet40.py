# RepSurf-U. No code for ModelNet40 was released: the recipe for ScanObjectNN with DGCNN's
# augmentation.
_base_ = [
    '../_base_/students/repsurf.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adam_250e_step.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
batch_size = 64
