# The parts of SyntheticScans' generated furniture. All 2,048 points of a scan are scored.
_base_ = './syntheticscans.py'
pack = dict(type='PackPointInputs', parts=True)
eval_pipeline = [
    dict(type='UnitSphere'),
    dict(
        type='ScoreEveryPoint',
        sampling=dict(type='FarthestPoints', num_points=_base_.num_points),
    ),
    pack,
]
train_pipeline = [*_base_.train_pipeline[:-1], pack]
data = dict(task='part_segmentation')
val_evaluator = dict(type='PartIoU')
test_evaluator = dict(type='PartIoU')
