import pytest
import torch
from torch import nn

from pcdet_kd.backbones.wrapped_module import WrappedModule
from pcdet_kd.registry import BACKBONES, MODELS
from pcdet_kd.testing import check_backbone


class RowNet(nn.Module):
    """Points (B, N, C) to (B, N, D), or pooled."""

    def __init__(self, width=8, channels=3, pool=False):
        super().__init__()
        self.linear = nn.Linear(channels, width)
        self.pool = pool

    def forward(self, x):
        x = self.linear(x).relu()
        return x.amax(1) if self.pool else x


class ColumnNet(nn.Module):
    """Points (B, C, N) to (B, D, N), or pooled."""

    def __init__(self, width=8, pool=False):
        super().__init__()
        self.conv = nn.Conv1d(3, width, 1)
        self.pool = pool

    def forward(self, x):
        x = self.conv(x).relu()
        return x.amax(2) if self.pool else x


class GraphNet(nn.Module):
    """PyTorch Geometric's calling convention."""

    def __init__(self, width=8, channels=0, pool=False):
        super().__init__()
        self.linear = nn.Linear(3 + channels, width)
        self.pool = pool

    def forward(self, *args):
        *x, pos, batch = args
        out = self.linear(torch.cat([pos, *x], dim=1)).relu()
        if not self.pool:
            return out
        count = int(batch.max()) + 1
        index = batch[:, None].expand_as(out)
        return out.new_full((count, out.shape[1]), -torch.inf).scatter_reduce(0, index, out, 'amax')


@pytest.mark.parametrize('pool', [False, True])
@pytest.mark.parametrize(
    ('net', 'layout'), [(RowNet, 'BNC'), (ColumnNet, 'BCN'), (GraphNet, 'PyG')]
)
def test_a_wrapped_network_keeps_the_contract(net, layout, pool):
    check_backbone(
        WrappedModule(net(pool=pool), 8, layout=layout, output='global' if pool else 'points')
    )


@pytest.mark.parametrize(('net', 'layout'), [(ColumnNet, 'BCN'), (GraphNet, 'PyG')])
def test_layouts_agree(net, layout):
    torch.manual_seed(0)
    points = torch.randn(3, 11, 3)
    rows = RowNet()
    other = net()
    for ours, theirs in zip(other.parameters(), rows.parameters()):
        ours.data = theirs.data.view_as(ours)
    first = WrappedModule(rows, 8, output='points')(points)
    second = WrappedModule(other, 8, layout=layout, output='points')(points)
    torch.testing.assert_close(second, first)
    assert first.point_feats.shape == (3, 8, 11) and torch.equal(
        first.global_feat, first.point_feats.amax(2)
    )


def test_further_channels_come_first_for_graphs():
    points = torch.randn(2, 5, 5)
    net = WrappedModule(GraphNet(channels=2), 8, in_channels=5, layout='PyG', output='points')
    expected = net.net.linear(points).relu()
    torch.testing.assert_close(net(points).point_feats, expected.transpose(1, 2))


def test_it_is_built_from_a_config_and_can_be_a_student():
    backbone = dict(
        type='WrappedModule',
        module='torch.nn:Linear',
        kwargs=dict(in_features=3, out_features=6),
        out_channels=6,
        output='points',
    )
    assert isinstance(BACKBONES.build(dict(backbone)).net, nn.Linear)
    model = MODELS.build(
        dict(
            type='PointClassifier',
            backbone=backbone,
            head=dict(type='MLPHead', num_classes=4, hidden_channels=()),
        )
    )
    assert model(dict(points=torch.randn(2, 7, 3)), mode='tensor').logits.shape == (2, 4)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(layout='NBC'), "layout is 'NBC'"),
        (dict(output='all'), "output is 'all'"),
        (dict(module='torch.nn'), "expected 'package.module:Class'"),
        (dict(module='torch.nn:Lineal'), 'cannot be imported'),
        (dict(module='absent_package:Net'), 'cannot be imported'),
        (dict(module='builtins:dict'), 'gave a dict'),
        (dict(module=RowNet(), kwargs=dict(width=3)), 'leave kwargs out'),
    ],
)
def test_a_wrong_argument_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        WrappedModule(**{**dict(module=RowNet(), out_channels=8), **change})


def test_another_output_is_named():
    points = torch.randn(2, 7, 3)
    with pytest.raises(
        ValueError, match=r'RowNet returned \(2, 7, 8\), expected a tensor \(2, 8\)'
    ):
        WrappedModule(RowNet(), 8)(points)
    with pytest.raises(
        ValueError, match=r'RowNet returned \(2, 7, 8\), expected a tensor \(2, 7, 9\)'
    ):
        WrappedModule(RowNet(), 9, output='points')(points)
    with pytest.raises(ValueError, match=r'takes points \(B, N, 3\), got \(2, 7, 4\)'):
        WrappedModule(RowNet(), 8)(torch.randn(2, 7, 4))
