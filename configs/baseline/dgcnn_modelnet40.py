_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
