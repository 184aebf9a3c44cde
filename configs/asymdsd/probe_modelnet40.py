# A linear SVM and nearest neighbours on frozen features, for `pcdet-kd probe`; nothing is trained
# with it.
_base_ = [
    '../_base_/students/asymdsd_s.py',
    '../_base_/datasets/modelnet40_asymdsd.py',
    '../_base_/default_runtime.py',
]
train_split = 'trainval'

model = _base_.student
