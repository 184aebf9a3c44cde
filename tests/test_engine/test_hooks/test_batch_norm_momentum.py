from types import SimpleNamespace

import pytest
from torch import nn

from pcdet_kd.engine.hooks import BatchNormMomentumHook


def model():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.BatchNorm2d(2), nn.BatchNorm1d(2))
    net[3].eval()  # a frozen teacher's
    return net


def momenta(net):
    return [module.momentum for module in list(net)[1:]]


def test_by_epoch():
    hook, net = BatchNormMomentumHook(), model()
    for epoch, expected in ((0, 0.9), (20, 0.9), (21, 0.45), (42, 0.225), (199, 0.01)):
        hook.before_train_epoch(SimpleNamespace(model=net, epoch=epoch, iter=10**6))
        assert momenta(net) == [expected, expected, 0.1]
        hook.before_train_iter(SimpleNamespace(model=net, epoch=0, iter=0), 0)
        assert momenta(net)[0] == expected


def test_by_iteration():
    hook, net = BatchNormMomentumHook(initial=0.5, step=10, by_epoch=False), model()
    hook.before_train_epoch(SimpleNamespace(model=net, epoch=5, iter=15))  # resumed in the middle
    assert momenta(net) == [0.25, 0.25, 0.1]
    for iteration, expected in ((16, 0.25), (20, 0.125), (21, 0.125), (100, 0.01)):
        hook.before_train_iter(SimpleNamespace(model=net, epoch=0, iter=iteration), 0)
        assert momenta(net)[:2] == [expected] * 2


@pytest.mark.parametrize(
    'wrong', [dict(initial=1.8), dict(floor=0.0), dict(factor=2.0), dict(step=0)]
)
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=f'{next(iter(wrong))}'):
        BatchNormMomentumHook(**wrong)
