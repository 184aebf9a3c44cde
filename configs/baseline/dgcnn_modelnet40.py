_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/dgcnn_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
