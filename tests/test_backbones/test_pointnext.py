"""PointNeXt against its blocks written out."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.backbones import PointNeXt
from pcdet_kd.backbones.pointnext import BallGroup
from pcdet_kd.ops import ball_query, farthest_point_sample, group

KEYS = Path(__file__).parents[1] / 'data' / 'official_keys'
TINY = dict(width=4, strides=(2, 4), blocks=(1, 0), radius=0.4, num_neighbors=6)


def conv(x, layer):
    """Convolution without bias and BatchNorm on (B, C, M, k)."""
    x = F.conv2d(x, layer.linear.weight[:, :, None, None])
    return F.batch_norm(x, None, None, layer.norm.weight, layer.norm.bias, training=True)


def grouped(centres, coords, features, radius, k, scale):
    index = ball_query(centres, coords, radius, k)
    offset = (group(coords, index) - centres.unsqueeze(2)) / scale
    return torch.cat([offset, group(features, index)], -1).permute(0, 3, 1, 2)


@pytest.mark.parametrize('normalize', [True, False])
def test_forward_by_hand(normalize):
    torch.manual_seed(0)
    net = PointNeXt(in_channels=4, normalize_offsets=normalize, **TINY).double()
    for p in net.parameters():
        p.data.normal_()
    points = torch.rand(3, 32, 4, dtype=torch.float64)
    out, coords, x = net(points), points[..., :3], net.stem(points)
    for i, (stride, radius) in enumerate(((2, 0.4), (4, 0.6))):
        block = net.stages[i][0]
        chosen = farthest_point_sample(coords, coords.shape[1] // stride)
        centres = group(coords, chosen)
        y = grouped(centres, coords, x, radius, 6, radius if normalize else 1)
        y = conv(conv(y, block.mlp[0]).relu(), block.mlp[1]).amax(3).transpose(1, 2)
        coords, x = centres, F.relu(y + block.shortcut(group(x, chosen)))
        if i == 0:  # an inverted residual MLP, with the next stage's radius
            inverted = net.stages[i][1]
            y = grouped(coords, coords, x, 0.6, 6, 0.6 if normalize else 1)
            y = conv(y, inverted.local).relu().amax(3, keepdim=True)
            y = (
                conv(conv(y, inverted.pointwise[0]).relu(), inverted.pointwise[1])
                .squeeze(3)
                .transpose(1, 2)
            )
            x = F.relu(x + y)
        torch.testing.assert_close(out.stages[i], x.transpose(1, 2))
    y = torch.cat([coords, x], -1).transpose(1, 2).unsqueeze(3)
    for layer in net.global_abstraction.mlp:
        y = conv(y, layer).relu()
    torch.testing.assert_close(out.point_feats, y.squeeze(3))
    torch.testing.assert_close(out.global_feat, y.amax((2, 3)))
    assert torch.equal(out.coords, coords)


def test_published_geometry():
    with torch.device('meta'):
        net = PointNeXt()
    assert [stage[0].grouper.radius for stage in net.stages] == pytest.approx(
        [0.15, 0.225, 0.3375, 0.50625]
    )
    assert {
        (s[0].stride, s[0].grouper.num_neighbors, s[0].grouper.normalize, len(s))
        for s in net.stages
    } == {(2, 32, True, 1)}
    assert net.out_channels == 512


def test_shapes_are_the_authors():
    """Every tensor of guochengqian/openpoints has its place, but for the head."""
    with torch.device('meta'):
        state = PointNeXt(in_channels=4).state_dict()
    rows = [
        line.split()
        for line in (KEYS / 'pointnext_s.txt').read_text().splitlines()
        if line.startswith('encoder')
    ]
    theirs = [
        (
            key.split('.')[-1],
            tuple(map(int, shape.removesuffix('x1').removesuffix('x1').split('x'))),
        )
        for key, shape in rows
        if shape != 'scalar'
    ]
    assert Counter(
        (key.split('.')[-1], tuple(v.shape)) for key, v in state.items() if v.dim()
    ) == Counter(theirs)


def test_without_shortcuts_and_with_one_layer():
    net = PointNeXt(**{**TINY, 'blocks': (2, 1)}, mlp_layers=1, residual=False)
    assert [len(stage) for stage in net.stages] == [3, 2]
    assert all(
        stage[0].shortcut is None and stage[0].mlp[0].act is not None for stage in net.stages
    )
    assert len(net.global_abstraction.mlp) == 1
    assert net.eval()(torch.rand(2, 9, 3)).coords.shape == (2, 1, 3)


def test_balls_are_open():
    coords = torch.tensor([[[0.0, 0, 0], [0.5, 0, 0], [0, 0.25, 0]]])
    out = BallGroup(0.5, 3, normalize=True)(
        coords[:, :1], coords, torch.tensor([[[1.0], [2], [3]]])
    )
    assert out.tolist() == [[[[0, 0, 0, 1], [0, 0.5, 0, 3], [0, 0, 0, 1]]]]


def test_random_start_is_for_training():
    net, points = PointNeXt(**TINY, fps_start='random'), torch.rand(2, 32, 3)
    assert not torch.equal(net(points).coords, net(points).coords)
    assert torch.equal(net.eval()(points).coords, net(points).coords)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r'strides is \(2, 2\), blocks is \(0,\)'):
        PointNeXt(strides=(2, 2), blocks=(0,))
    with pytest.raises(ValueError, match='strides of at least 1'):
        PointNeXt(strides=(0,), blocks=(0,))
    with pytest.raises(ValueError, match='fps_start is 1'):
        PointNeXt(fps_start=1)
