"""Multi-view image network: aggregation and pretrained weights."""

import pytest
import torch

from pcdet_kd.backbones import MultiViewResNet
from pcdet_kd.layers import ResNet
from pcdet_kd.testing import check_backbone
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.views import PerspectiveProjection

TINY = dict(base_width=2, small_input=True)


@pytest.mark.parametrize('aggregation', ['max', 'mean'])
def test_views_one_by_one(aggregation):
    torch.manual_seed(0)
    net = MultiViewResNet(**TINY, aggregation=aggregation).eval()
    views = torch.rand(2, 3, 3, 16, 16)
    out = net(views)
    each = torch.stack([net.trunk(views[:, v]) for v in range(3)])
    torch.testing.assert_close(out.point_feats, each.permute(1, 2, 0))
    torch.testing.assert_close(
        out.global_feat, each.max(0).values if aggregation == 'max' else each.mean(0)
    )
    assert out.coords is None


def test_options():
    net = MultiViewResNet(depth=50, in_channels=1, base_width=4)
    assert net.out_channels == 128 and net.trunk.conv1.kernel_size == (7, 7)
    assert net.eval()(torch.rand(1, 1, 1, 20, 20)).global_feat.shape == (1, 128)


def test_points_go_through_a_projection():
    projection = dict(type='PerspectiveProjection', image_size=16, up_axis='z')
    check_backbone(dict(type='MultiViewResNet', projection=projection, **TINY))
    net = MultiViewResNet(**TINY, projection=projection).eval()
    points = torch.rand(2, 30, 3) - 0.5
    given = MultiViewResNet(**TINY).eval()
    given.load_state_dict(net.state_dict())
    views = PerspectiveProjection(image_size=16, up_axis='z')(points)
    torch.testing.assert_close(net(points).global_feat, given(views).global_feat)


def test_pretrained_is_read_once_by_init_weights(tmp_path):
    source, file = ResNet(18, base_width=2, small_input=True), str(tmp_path / 'resnet18.pth')
    torch.save({**source.state_dict(), 'fc.weight': torch.ones(1, 16)}, file)
    net = MultiViewResNet(**TINY, pretrained=file)
    assert not torch.equal(net.trunk.conv1.weight, source.conv1.weight)
    net.init_weights()
    assert all(torch.equal(v, source.state_dict()[k]) for k, v in net.trunk.state_dict().items())
    net.trunk.conv1.weight.data.zero_()
    net.init_weights()  # a Runner that resumes may call it again after the checkpoint was read
    assert not net.trunk.conv1.weight.any()


def test_pretrained_that_does_not_fit(tmp_path):
    file = str(tmp_path / 'resnet18.pth')
    torch.save(ResNet(18, base_width=4).state_dict(), file)
    with pytest.raises(CheckpointError, match='does not fit'):
        MultiViewResNet(**TINY, pretrained=file).init_weights()


def test_wrong_arguments():
    with pytest.raises(ValueError, match="aggregation is 'sum'"):
        MultiViewResNet(aggregation='sum')
    with pytest.raises(
        ValueError, match=r'takes views \(B, V, 3, H, W\) with V > 0, got \(2, 3, 16, 16\)'
    ):
        MultiViewResNet(**TINY)(torch.rand(2, 3, 16, 16))
