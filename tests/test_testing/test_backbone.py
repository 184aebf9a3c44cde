"""check_backbone passes a right part and names what is wrong with a wrong one."""

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import Level, PointFeatures
from pcdet_kd.testing import check_backbone, random_clouds, random_views


class Good(BaseModule):
    def __init__(self, in_channels=3):
        super().__init__()
        self.out_channels = 6
        self.linear = nn.Linear(in_channels, 6)
        self.norm = nn.BatchNorm1d(6)

    def forward(self, points):
        x = self.linear(points)
        return PointFeatures(self.norm(x.amax(1)), x.transpose(1, 2), points[..., :3], (x,))


class NoWidth(Good):
    def __init__(self):
        super().__init__()
        del self.out_channels


class WrongWidth(Good):
    def forward(self, points):
        return super().forward(points)._replace(global_feat=torch.ones(len(points), 5))


class ATensor(Good):
    def forward(self, points):
        return super().forward(points).global_feat


class ListOfStages(Good):
    def forward(self, points):
        return super().forward(points)._replace(stages=[])


class OtherPoints(Good):
    def forward(self, points):
        return super().forward(points)._replace(coords=points[:, :0])


class OtherLevels(Good):
    def forward(self, points):
        return super().forward(points)._replace(levels=(Level(points[..., :3], points),))


class InPlace(Good):
    def forward(self, points):
        points -= points.mean(1, keepdim=True)
        return super().forward(points)


class Unused(Good):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(2, 2)


class Undefined(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + (self.linear.weight.sum() * 0).sqrt())


class Random(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + torch.rand(1))


class OverTheBatch(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat / points.std())


class NeedsPoints(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat / points.std(1).mean(1, keepdim=True))


@BACKBONES.register_module('_TestingHidden')
class Hidden(Good):
    def __init__(self):
        super().__init__()
        self.scale = torch.rand(1)

    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat * self.scale)


class HalfCoordinates(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(coords=out.coords @ torch.eye(3))


class FirstPoint(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + points[:, :1, 0])


class Small(FirstPoint):
    """The tolerance is the feature's, however small that is."""

    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=1e-5 * out.global_feat)


class LastPoint(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + points[:, -1:, 0])


class WrongKey(Good):
    def auxiliary_losses(self, features):
        return dict(orthogonality=features.global_feat.sum())


def test_check_backbone_accepts_and_changes_nothing():
    net, wide = Good(), Good(5)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    state = torch.get_rng_state()
    check_backbone(net)
    check_backbone(wide, in_channels=5)
    assert (
        all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
        and net.linear.weight.grad is None
    )
    assert net.training and torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ('backbone', 'message'),
    [
        (NoWidth, 'out_channels is None: set it'),
        (WrongWidth, r'global_feat is \(4, 5\)'),
        (ATensor, 'returns a Tensor'),
        (ListOfStages, 'stages is a list'),
        (OtherPoints, 'differ in the number of points'),
        (OtherLevels, r'levels have \(3,\) channels, level_channels is \(\)'),
        (InPlace, 'input in place'),
        (Unused, 'no gradient from global_feat to spare.weight, spare.bias'),
        (Undefined, 'linear.weight is not finite'),
        (Random, 'eval mode gives two results'),
        (OverTheBatch, 'when it is alone'),
        (HalfCoordinates, 'coords are not float32'),
        (NeedsPoints, 'size 1: global_feat is not finite'),
        (WrongKey, r"returns \['orthogonality'\]"),
    ],
)
@pytest.mark.filterwarnings('ignore:std')
def test_check_backbone_refuses(backbone, message):
    with pytest.raises(AssertionError, match=f'{backbone.__name__}.*{message}'):
        check_backbone(backbone())


def test_check_backbone_looks_at_the_order_of_points():
    check_backbone(Good(), order='any')
    check_backbone(FirstPoint(), order='behind_first')
    for backbone, order in (
        (FirstPoint(), 'any'),
        (LastPoint(), 'any'),
        (LastPoint(), 'behind_first'),
        (Small(), 'any'),
    ):
        with pytest.raises(AssertionError, match='the same points in another order'):
            check_backbone(backbone, order=order)
    with pytest.raises(AssertionError, match="order is 'all', expected 'any'"):
        check_backbone(Good(), order='all')


def test_check_backbone_finds_state_that_is_not_saved():
    with pytest.raises(
        AssertionError, match='Hidden gives another feature after its state_dict was loaded'
    ):
        check_backbone(dict(type='_TestingHidden'))


def test_random_inputs():
    assert random_clouds(2, 1).shape == (2, 1, 3) and random_views(2, 3, 1, 8).shape == (
        2,
        3,
        1,
        8,
        8,
    )
    assert random_clouds(3, 50, 6)[..., :3].norm(dim=-1).amax(1).allclose(torch.ones(3))
