# ScanObjectNN as SimpleView's authors use it: random points in the unit sphere, rotated about the
# up axis and jittered. They also zoom the images by up to 35 %; this is not done here. They test
# ten times with new random points and average; here there is one test with the first points.
_base_ = './scanobjectnn.py'

eval_pipeline = [
    dict(type='FirstPoints', num_points=_base_.student_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='RandomPoints', num_points=_base_.student_points),
    dict(type='UnitSphere'),
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomJitter', sigma=0.01, clip=0.05),
    dict(type='PackPointInputs'),
]
