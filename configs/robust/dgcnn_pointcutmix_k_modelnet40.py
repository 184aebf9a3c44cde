# PointCutMix-K on DGCNN with its authors' recipe.
_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]

model = _base_.student
model.data_preprocessor = dict(
    type='PointDataPreprocessor',
    batch_augments=dict(augments=dict(type='PointCutMix', variant='K'), probs=0.5),
)
batch_size = 16
auto_scale_lr = dict(base_batch_size=batch_size)
