# ScanObjectNN (Uy et al., ICCV 2019), h5 files in data_root/main_split and
# data_root/main_split_nobg.
_base_ = './_loaders.py'
data_root = 'data/ScanObjectNN'
variant = 'PB_T50_RS'  # OBJ_ONLY, OBJ_BG, PB_T25, PB_T25_R, PB_T50_R, PB_T50_RS
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
data = dict(type='ScanObjectNN', data_root=data_root, variant=variant)
