# ScanObjectNN as RepSurf's authors feed it: farthest points as they are, without augmentation.
_base_ = './scanobjectnn.py'

eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.num_points),
    dict(type='PackPointInputs'),
]
train_pipeline = eval_pipeline
