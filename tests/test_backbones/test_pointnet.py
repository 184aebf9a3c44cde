"""PointNet: transforms, variants, regulariser."""

import pytest
import torch

from pcdet_kd.backbones import PointNet
from pcdet_kd.layers import orthogonality_loss

TINY = dict(local_channels=(8,), global_channels=(8, 16), transform_mlp=(8, 16), transform_fc=(8,))


def test_forward_by_hand():
    torch.manual_seed(0)
    net = PointNet(in_channels=5, **TINY).eval()
    points = torch.randn(2, 7, 5)
    out = net(points)
    a = net.input_transform(points)
    x = net.local_mlp(
        torch.cat([torch.einsum('bnc,bcd->bnd', points[..., :3], a), points[..., 3:]], -1)
    )
    transform = net.feature_transform(x)
    x = torch.einsum('bnc,bcd->bnd', x, transform)
    torch.testing.assert_close(out.stages[0], x.transpose(1, 2))
    torch.testing.assert_close(out.stages[1], transform)
    torch.testing.assert_close(out.point_feats.transpose(1, 2), net.global_mlp(x))
    torch.testing.assert_close(out.global_feat, out.point_feats.max(2).values)
    assert torch.equal(out.coords, points[..., :3])


def test_order_and_repetition_of_points_do_not_matter():
    net = PointNet(**TINY).eval()
    points = torch.randn(2, 7, 3)
    expected = net(points).global_feat
    torch.testing.assert_close(net(points.flip(1)).global_feat, expected)
    torch.testing.assert_close(net(torch.cat([points, points[:, :3]], 1)).global_feat, expected)


def test_variants_differ_in_the_last_activation():
    points = torch.randn(4, 7, 3)
    small = dict(transform_mlp=(8, 16), transform_fc=(8,), global_channels=(8, 16))
    assert (PointNet(variant='paper', **small)(points).point_feats >= 0).all()
    assert (PointNet(variant='fxia22', **small)(points).point_feats < 0).any()
    assert len(PointNet(variant='paper', **small).local_mlp) == 2
    assert len(PointNet(variant='fxia22', **small).local_mlp) == 1


def test_orthogonality():
    torch.manual_seed(0)
    net = PointNet(**TINY, orthogonality_weight=0.01)
    out = net(torch.randn(4, 7, 3))
    losses = net.auxiliary_losses(out)
    assert list(losses) == ['loss_orthogonality']
    torch.testing.assert_close(
        losses['loss_orthogonality'], 0.01 * orthogonality_loss(out.stages[-1])
    )
    losses['loss_orthogonality'].backward()
    assert net.feature_transform.last.weight.grad.abs().sum() > 0
    assert PointNet(**TINY).orthogonality_weight == 0.001


def test_without_transforms():
    net = PointNet(**TINY, input_transform=False, feature_transform=False)
    out = net(torch.randn(2, 7, 3))
    assert len(out.stages) == 1 and net.auxiliary_losses(out) == {}
    assert PointNet(**TINY, orthogonality_weight=0.0).auxiliary_losses(out) == {}


def test_wrong_arguments():
    with pytest.raises(ValueError, match="variant is 'tf'"):
        PointNet(variant='tf')
    with pytest.raises(ValueError, match='set in_channels=6'):
        PointNet(**TINY)(torch.rand(2, 7, 6))
