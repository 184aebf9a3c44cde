# PointCMT's text, stage II: a three-layer generator (D1), the exact sum of distances between clouds
# as they are (D4, D17).
_base_ = ['./generator_modelnet40.py']
requires = dict(teacher='mvcnn_resnet18_modelnet40_paper.py')

model = dict(
    preset='paper',
    loss=dict(
        _delete_=True,
        type='EarthMoverLoss',
        loss_weight=30.0,
        reduction='sum',
        normalize=None,
        solver='auction',
    ),
)
