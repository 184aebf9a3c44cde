# A small multi-view image teacher that has all labels, in minutes on a CPU.
_base_ = [
    '../_base_/datasets/modelnet40.py',
    '../_base_/teachers/mvcnn_resnet18_small.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
num_workers = 0

model = _base_.teacher
