# Point Transformer's recipe is for ModelNet40; none was published for ScanObjectNN.
_base_ = [
    '../_base_/students/point_transformer.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_step_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
