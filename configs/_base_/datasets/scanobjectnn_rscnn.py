# ScanObjectNN as RS-CNN's authors feed it: farthest points, of which a random part trains, scaled
# and shifted.
_base_ = './scanobjectnn.py'
num_farthest = 1200  # of which a random num_points train

eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.num_points),
    dict(type='PackPointInputs'),
]
train_pipeline = [
    dict(type='ShufflePoints'),
    dict(type='FarthestThenRandom', num_points=_base_.num_points, num_farthest=num_farthest),
    dict(type='RandomScale', low=2 / 3, high=3 / 2),
    dict(type='RandomShift', max_shift=0.2),
    dict(type='PackPointInputs'),
]
