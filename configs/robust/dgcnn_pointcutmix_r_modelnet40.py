# PointCutMix-R on DGCNN with its authors' recipe.
_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/modelnet40.py',
    '../_base_/schedules/sgd_cosine_250e.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/robust/dgcnn_pointcutmix_r_modelnet40'

model = _base_.student
model.head.num_classes = _base_.num_classes
model.data_preprocessor = dict(
    type='PointDataPreprocessor',
    batch_augments=dict(augments=dict(type='PointCutMix', variant='R'), probs=0.5),
)
batch_size = 16
train_dataloader = dict(batch_size=batch_size)
auto_scale_lr = dict(base_batch_size=batch_size)
