_base_ = [
    '../_base_/students/pointmlp.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/pointmlp_scanobjectnn'

model = _base_.student
model.head.num_classes = _base_.num_classes
