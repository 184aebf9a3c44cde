# WOLFMix on DGCNN: PointWOLF, then RSMix, with the recipe of ModelNet-C's code.
_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.data_preprocessor = dict(
    type='PointDataPreprocessor', batch_augments=dict(augments=dict(type='RSMix'), probs=0.5)
)
max_epochs = 500
train_pipeline = [
    *_base_.eval_pipeline[:-1],
    dict(type='PointWOLF'),
    dict(type='ShufflePoints'),
    _base_.eval_pipeline[-1],
]
