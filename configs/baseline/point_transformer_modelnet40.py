_base_ = [
    '../_base_/students/point_transformer.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_step_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
