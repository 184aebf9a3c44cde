# PCT's recipe is for ModelNet40; none was published for ScanObjectNN.
_base_ = [
    '../_base_/students/pct.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/baseline/pct_scanobjectnn'

model = _base_.student
model.head.num_classes = _base_.num_classes
lr = 0.01
optim_wrapper = dict(optimizer=dict(lr=lr, weight_decay=5e-4))
param_scheduler = dict(eta_min=lr / 100)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(1, dict(type='RandomPointDropout', max_ratio=0.875))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
