# ModelNet40 (Wu et al., CVPR 2015) as sampled by PointNet's authors: the files of
# modelnet40_ply_hdf5_2048 in data_root.
_base_ = './_loaders.py'
data_root = 'data/modelnet40_ply_hdf5_2048'
num_points = 1024
student_points = num_points  # that the student sees; teachers and banks see num_points

eval_pipeline = [
    dict(type='FirstPoints', num_points=student_points),
    dict(type='PackPointInputs'),
]
bank_pipeline = [dict(type='FirstPoints', num_points=num_points), dict(type='PackPointInputs')]
train_pipeline = [
    dict(type='FirstPoints', num_points=student_points),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='ShufflePoints'),
    dict(type='PackPointInputs'),
]
data = dict(type='ModelNet40', data_root=data_root)
