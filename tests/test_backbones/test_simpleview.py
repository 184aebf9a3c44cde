"""SimpleView: views, order, what it has from its authors."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from pcdet_kd.backbones import SimpleView
from pcdet_kd.views import project_points

KEYS = Path(__file__).parents[1] / 'data' / 'official_keys'
TINY = dict(base_width=2, image_size=16)


def cloud(n=40, channels=3):
    return torch.rand(2, n, channels) - 0.5


@pytest.mark.parametrize('in_channels', [3, 6])
def test_views_one_by_one(in_channels):
    torch.manual_seed(0)
    net = SimpleView(in_channels=in_channels, **TINY).eval()
    net.norm.running_mean.normal_()
    net.norm.weight.data.normal_()
    points = cloud(channels=in_channels)
    out = net(points)
    images = project_points(
        points[..., :3], points[..., 3:] if in_channels == 6 else None, image_size=16
    )
    assert images.shape[2] == (1 if in_channels == 3 else 4)
    each = [net.trunk(images[:, v]) for v in range(6)]
    torch.testing.assert_close(out.global_feat, torch.cat([net.norm(x) for x in each], 1))
    torch.testing.assert_close(out.point_feats, torch.stack(each, 2))
    assert net.out_channels == 6 * 16 and out.coords is None and not out.stages


def test_order_of_points_does_not_matter():
    net, points = SimpleView(**TINY).eval(), cloud()
    torch.testing.assert_close(net(points.flip(1)).global_feat, net(points).global_feat)


def test_dropout_is_per_view_and_for_training():
    torch.manual_seed(0)
    net, points = SimpleView(**TINY, dropout=0.5), cloud()
    dropped = net(points).global_feat == 0
    assert 0.3 < dropped.float().mean() < 0.7 and not torch.equal(
        dropped[:, :16], dropped[:, 16:32]
    )
    assert not (SimpleView(**TINY, dropout=0.0)(points).global_feat == 0).any()


def test_settings_reach_the_projection():
    points = cloud()
    state = SimpleView(**TINY).state_dict()
    features = []
    for change in (dict(), dict(up_axis='z'), dict(distance=2.0), dict(num_views=4)):
        net = SimpleView(**TINY, **change).eval()
        net.load_state_dict(state)
        features.append(net(points).global_feat)
    assert not torch.allclose(features[0], features[1]) and not torch.allclose(
        features[0], features[2]
    )
    torch.testing.assert_close(features[3], features[0][:, : 4 * 16])


def test_residual_branches_start_at_zero():
    net = SimpleView(**TINY)
    zero = [
        name
        for name, p in net.named_parameters()
        if p.dim() == 1 and name.endswith('weight') and not p.any()
    ]
    assert zero == [f'trunk.layer{i}.{j}.bn2.weight' for i in range(1, 5) for j in range(2)]


def test_shapes_are_the_authors():
    """Every tensor of princeton-vl/SimpleView has its place, but for the head's linear layers."""
    with torch.device('meta'):
        state = SimpleView().state_dict()
    rows = [
        line.split()
        for line in (KEYS / 'simpleview.txt').read_text().splitlines()
        if line.startswith(('img_model', 'final_fc.model.0.'))
    ]
    theirs = [
        (key.split('.')[-1], tuple(map(int, shape.split('x'))))
        for key, shape in rows
        if shape != 'scalar'
    ]
    assert Counter(
        (key.split('.')[-1], tuple(v.shape)) for key, v in state.items() if v.dim()
    ) == Counter(theirs)


def test_wrong_arguments():
    with pytest.raises(ValueError, match='in_channels is 4, must be 3'):
        SimpleView(in_channels=4)
    with pytest.raises(ValueError, match='num_views is 7'):
        SimpleView(**TINY, num_views=7)(cloud())
