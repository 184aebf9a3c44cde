# SyntheticScans: generated shapes with ScanObjectNN's classes, nothing to download. Deterministic,
# cached after the first use.
_base_ = './_loaders.py'
variant = 'OBJ_ONLY'  # OBJ_BG, PB_T50_RS
num_train = 900
num_test = 600
data_seed = 0
num_points = 512
student_points = num_points  # that the student sees; teachers and banks see num_points
num_workers = 0

eval_pipeline = [
    dict(type='FirstPoints', num_points=student_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
bank_pipeline = [
    dict(type='FirstPoints', num_points=num_points),
    dict(type='UnitSphere'),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='RandomPoints', num_points=student_points),
    dict(type='UnitSphere'),
    dict(type='RandomRotate', axis='up'),
    dict(type='RandomScale', low=0.8, high=1.25),
    dict(type='RandomShift', max_shift=0.1),
    dict(type='ShufflePoints'),
    dict(type='PackPointInputs'),
]
data = dict(
    type='SyntheticScans',
    variant=variant,
    num_train=num_train,
    num_test=num_test,
    seed=data_seed,
)
