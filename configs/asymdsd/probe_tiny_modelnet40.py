# A linear SVM and nearest neighbours on the frozen features of the small AsymDSD, for `pcdet-kd
# probe`; nothing is trained with it.
_base_ = [
    '../_base_/students/asymdsd_tiny.py',
    '../_base_/datasets/modelnet40_asymdsd.py',
    '../_base_/default_runtime.py',
]
num_points = 256
train_split = 'trainval'

model = _base_.student
