# ScanObjectNN as PointNeXt's authors use it: farthest points, in the unit sphere, with the height
# above the lowest point as fourth channel (set in_channels=4). The height is computed before the
# cloud is scaled to the sphere.
_base_ = './scanobjectnn.py'
num_farthest = 1200  # a training sample is num_points of them, at random

eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.student_points),
    dict(type='AddHeight'),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs', features=('heights',)),
]
train_pipeline = [
    dict(type='ShufflePoints'),
    dict(type='RandomScale', low=0.9, high=1.1),
    dict(type='AddHeight'),
    dict(type='UnitSphere'),
    dict(type='RandomRotate', axis='up'),
    dict(type='FarthestThenRandom', num_points=_base_.student_points, num_farthest=num_farthest),
    dict(type='PackPointInputs', features=('heights',)),
]
