# ScanObjectNN as AsymDSD's authors evaluate on it: all 2,048 points, in the unit sphere, z up as in
# pre-training.
_base_ = './scanobjectnn.py'

num_points = 2048
eval_pipeline = [
    dict(type='FirstPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='ConvertUpAxis', to='z'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    *eval_pipeline[:-1],
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomScale', low=0.9, high=1.1),
    dict(type='PackPointInputs'),
]
