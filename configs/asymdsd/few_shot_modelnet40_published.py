# As few_shot_modelnet40.py, on the tasks that Point-BERT published, 10 of each kind.
_base_ = './few_shot_modelnet40.py'
data_root = 'data/ModelNetFewshot'

data = dict(
    _delete_=True,
    type='PointBERTFewShot',
    data_root=data_root,
    way=_base_.way,
    shot=_base_.shot,
    fold=_base_.fold,
)
