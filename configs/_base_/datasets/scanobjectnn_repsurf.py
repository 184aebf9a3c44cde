# ScanObjectNN as RepSurf's authors use it: farthest points, not normalised, without augmentation.
_base_ = './scanobjectnn.py'

eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.student_points),
    dict(type='PackPointInputs'),
]
train_pipeline = eval_pipeline
