# RSMix on DGCNN with its authors' recipe: no other augmentation.
_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/robust/dgcnn_rsmix_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
model.data_preprocessor = dict(
    type='PointDataPreprocessor', batch_augments=dict(augments=dict(type='RSMix'), probs=0.5)
)
max_epochs = 500
param_scheduler = dict(T_max=max_epochs)
train_cfg = dict(max_epochs=max_epochs)
train_pipeline = _base_.eval_pipeline
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
