# The student alone, on its few labels: every batch is labelled clouds, and there are as many steps
# as in the configs beside it.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40_few_labels.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
