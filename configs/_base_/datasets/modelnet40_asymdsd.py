# ModelNet40 as AsymDSD's authors evaluate on it: 1,024 farthest points, in the unit sphere, z up as
# in pre-training. Theirs are chosen from 16,384 points per shape, these from the files' 2,048.
_base_ = './modelnet40.py'

num_points = 1024
eval_pipeline = [
    dict(type='FarthestPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='ConvertUpAxis', to='z'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    *eval_pipeline[:-1],
    dict(type='RandomScale', low=0.6, high=1.4),
    dict(type='PackPointInputs'),
]
