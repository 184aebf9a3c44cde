# Your own clouds or meshes in data_root: a folder of files per class, in train and test folders or
# not. Clouds of any size, in any order of points.
_base_ = './_loaders.py'
data_root = 'data/my_scans'
up_axis = 'z'
num_points = 1024
student_points = num_points  # that the student sees; teachers and banks see num_points

eval_pipeline = [
    dict(type='FarthestPoints', num_points=student_points, on_short='resample'),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
bank_pipeline = [
    dict(type='FarthestPoints', num_points=num_points, on_short='resample'),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='RandomPoints', num_points=student_points, on_short='resample'),
    dict(type='UnitSphere'),
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomScale', low=0.8, high=1.25),
    dict(type='RandomShift', max_shift=0.1),
    dict(type='PackPointInputs'),
]
data = dict(type='PointCloudFolder', data_root=data_root, up_axis=up_axis)
