# ScanObjectNN as RS-CNN's authors use ModelNet40: farthest points, a random part of them for each
# training sample, scaled and shifted.
_base_ = './scanobjectnn.py'
num_farthest = 1200  # a training sample is num_points of them, at random

eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.student_points),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='ShufflePoints'),
    dict(type='FarthestThenRandom', num_points=_base_.student_points, num_farthest=num_farthest),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='PackPointInputs'),
]
