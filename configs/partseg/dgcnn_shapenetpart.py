# DGCNN's classification encoder, with the decoder and the recipe of dgcnn.pytorch: 2,048 points of
# HDF5 files as they are, 40 neighbours, no augmentation.
_base_ = [
    '../_base_/students/dgcnn.py',
    '../_base_/datasets/shapenetpart.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/partseg_runtime.py',
]
data_root = 'data/hdf5_data'
normalize = []
augment = [dict(type='ShufflePoints')]
batch_size = 32
lr = 0.1

model = dict(
    type='PartSegmentor',
    backbone=dict(_base_.student.backbone, num_neighbors=40),
    decode_head=dict(
        type='DGCNNDecodeHead',
        loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others'),
    ),
)
