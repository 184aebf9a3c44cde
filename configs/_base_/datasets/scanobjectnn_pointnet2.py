# ScanObjectNN as the PyTorch port of PointNet++ (yanx27) uses ModelNet40: unit sphere, points
# dropped, scaled and shifted.
_base_ = './scanobjectnn.py'

eval_pipeline = [
    dict(type='FirstPoints', num_points=_base_.student_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='FirstPoints', num_points=_base_.student_points),
    dict(type='UnitSphere'),
    dict(type='RandomPointDropout', max_ratio=0.875),
    dict(type='RandomScale', low=0.8, high=1.25, per_axis=False),
    dict(type='RandomShift', max_shift=0.1),
    dict(type='PackPointInputs'),
]
batch_size = 24
