# Few-shot tasks drawn from ModelNet40: `way` classes, `shot` training clouds and
# `test_per_class` test clouds of each. There is no validation: the last epoch counts.
_base_ = './modelnet40_asymdsd.py'
way = 5
shot = 10
fold = 0
test_per_class = 20  # None: all
test_from = 'test'  # 'rest': the official training set without the shots

data = dict(
    _delete_=True,
    type='FewShotFold',
    dataset=dict(type='ModelNet40', data_root=_base_.data_root),
    way=way,
    shot=shot,
    fold=fold,
    test_per_class=test_per_class,
    test_from=test_from,
)
train_split = 'trainval'
val_dataloader = None
val_evaluator = None
