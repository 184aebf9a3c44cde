# PointWOLF on DGCNN with its authors' recipe: deformed, then scaled and shifted.
_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
train_pipeline = _base_.train_pipeline
train_pipeline.insert(1, dict(type='PointWOLF'))
