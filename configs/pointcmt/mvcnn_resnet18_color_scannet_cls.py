# PointCMT, stage I on colour views: ResNet-18 on the colours of ScanNet's points.
_base_ = [
    '../_base_/datasets/scannet_cls.py',
    '../_base_/teachers/mvcnn_resnet18.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = _base_.teacher
model.data_preprocessor.views.mode = 'color'
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackPointInputs', features=('rgb',))]
eval_pipeline = [*_base_.eval_pipeline[:-1], dict(type='PackPointInputs', features=('rgb',))]
