_base_ = [
    '../_base_/students/pointmlp.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
