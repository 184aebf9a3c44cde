# A small PointNet++ on ModelNet40, for comparisons on a CPU.
_base_ = [
    '../_base_/students/pointnet2_small.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
num_workers = 0

model = _base_.student
