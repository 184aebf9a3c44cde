# ScanObjectNN as SimpleView's authors feed it: random points in the unit sphere, rotated about the
# up axis and jittered. Their zoom of the images by up to 35 % is not here. In testing they draw
# points anew and average ten runs; here the first points are tested once.
_base_ = './scanobjectnn.py'

eval_pipeline = [
    dict(type='FirstPoints', num_points=_base_.num_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='RandomPoints', num_points=_base_.num_points),
    dict(type='UnitSphere'),
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomJitter', sigma=0.01, clip=0.05),
    dict(type='PackPointInputs'),
]
