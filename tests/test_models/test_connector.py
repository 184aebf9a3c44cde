import pytest
import torch

from pcdet_kd.models import Connector


def names(net):
    return [type(m).__name__ for m in net.modules() if not list(m.children())]


@pytest.mark.parametrize(
    ('arguments', 'layers', 'parameters'),
    [
        (dict(), ['Linear'], 6 * 4 + 4),
        (
            dict(norm='bn', act='relu', bias=False),
            ['Linear', 'BatchNorm1d', 'ReLU'],
            6 * 4 + 8,
        ),
        (
            dict(hidden_channels=(4, 4), act='relu', last_act=False, bias=False),
            ['Linear', 'ReLU', 'Linear', 'ReLU', 'Linear'],
            6 * 4 + 4 * 4 + 4 * 4,
        ),
    ],
    ids=['FitNets', 'SRRL', 'VID'],
)
def test_published_forms(arguments, layers, parameters):
    net = Connector(6, 4, **arguments)
    assert names(net) == layers
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert net(torch.randn(3, 6)).shape == (3, 4)


def test_crd_divides_by_the_length_in_float32():
    net = Connector(6, 4, unit_length=True)
    with torch.autocast('cpu', torch.bfloat16):
        out = net(torch.randn(3, 6))
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.norm(dim=1), torch.ones(3))


def test_srrl_starts_from_its_own_distribution():
    """N(0, sqrt(2 / out)), also where a Runner initialises the weights."""
    init = dict(type='Normal', layer='Linear', std=(2 / 512) ** 0.5)
    net = Connector(256, 512, norm='bn', act='relu', bias=False, init_cfg=init)
    net.init_weights()
    assert net.layers[0].linear.weight.std().item() == pytest.approx(0.0625, rel=0.02)
