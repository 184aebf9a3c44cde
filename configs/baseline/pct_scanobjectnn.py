# PCT's recipe is for ModelNet40; none was published for ScanObjectNN.
_base_ = [
    '../_base_/students/pct.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
lr = 0.01
optim_wrapper = dict(optimizer=dict(weight_decay=5e-4))
train_pipeline = _base_.train_pipeline
train_pipeline.insert(1, dict(type='RandomPointDropout', max_ratio=0.875))
