# ShapeNetPart (Yi et al., SIGGRAPH Asia 2016) as in the PyTorch port of PointNet++ (yanx27): text
# files in data_root, unit sphere, 2,048 points. There points are drawn with repetition, in tests
# too; here without, and in tests the farthest ones stand for all points of the cloud.
_base_ = './_loaders.py'
data_root = 'data/shapenetcore_partanno_segmentation_benchmark_v0_normal'
num_points = 2048
batch_size = 16
val_fraction = 0.0  # the official validation list
features = ()  # further columns of the points: 'points' (the coordinates again), 'normals'

normalize = [dict(type='UnitSphere')]
augment = [
    dict(type='RandomScale', low=0.8, high=1.25, per_axis=False),
    dict(type='RandomShift', max_shift=0.1),
]
few = dict(num_points=num_points, on_short='resample')
pack = dict(type='PackPointInputs', features=features, parts=True)
eval_pipeline = [
    *normalize,
    dict(type='ScoreEveryPoint', sampling=dict(type='FarthestPoints', **few)),
    pack,
]
train_pipeline = [*normalize, dict(type='RandomPoints', **few), *augment, pack]
data = dict(
    type='ShapeNetPart',
    data_root=data_root,
    with_normals='normals' in features,
    val_fraction=val_fraction,
)
val_evaluator = dict(type='PartIoU')
test_evaluator = dict(type='PartIoU')
