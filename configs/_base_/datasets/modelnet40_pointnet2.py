# ModelNet40 as in the PyTorch port of PointNet++ (yanx27): points dropped, scaled and shifted. The
# port reads other files and scales them to the unit sphere; these files are in it already.
_base_ = './modelnet40.py'

train_pipeline = [
    dict(type='FirstPoints', num_points=_base_.student_points),
    dict(type='RandomPointDropout', max_ratio=0.875),
    dict(type='RandomScale', low=0.8, high=1.25, per_axis=False),
    dict(type='RandomShift', max_shift=0.1),
    dict(type='PackPointInputs'),
]
batch_size = 24
