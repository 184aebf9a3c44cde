"""CurveNet: walks, aggregation, local aggregation, sampling."""

import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.backbones import CurveNet
from pcdet_kd.backbones.curvenet import (
    CurveAggregation,
    CurveBlock,
    CurveGrouping,
    LocalAggregation,
)
from pcdet_kd.ops import ball_query, farthest_point_sample, group, knn

TINY = dict(
    embed_channels=8,
    channels=(8, 12),
    num_points=(24, 10),
    radii=(0.5, 0.6),
    num_neighbors=5,
    curves=((6, 4), None),
    out_channels=16,
)


def set_norms(module):
    """Give BatchNorms other statistics than their first ones."""
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm1d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(part.weight, 0.5, 2)
            torch.nn.init.uniform_(part.bias, -0.5, 0.5)
    return module


def walk_by_hand(layer, x, neighbors):
    """One cloud, one curve and one neighbour at a time; returns curves and their points."""
    attention = torch.sigmoid(x @ layer.start.weight[0])
    x = x * attention[:, None]
    curves, visited = [], []
    for start in attention.argsort(descending=True)[: layer.num_curves].tolist():
        here, so_far, state, curve, path = start, x[start], None, [], []
        for step in range(layer.length):
            if step:
                share = layer.momentum(torch.cat([state, so_far])[None])[0].softmax(0)
                so_far = share[0] * state + share[1] * so_far
            scores = []
            for j in neighbors[here].tolist():
                score = layer.agent(torch.cat([x[j], so_far])[None])[0, 0]
                if step:
                    score = score * (
                        1 + F.cosine_similarity(state - so_far, x[j] - state, dim=0)
                    ).clamp(0, 1)
                scores.append(score)
            here = neighbors[here, int(torch.stack(scores).argmax())].item()
            state = x[here]
            curve.append(state)
            path.append(here)
        curves.append(torch.stack(curve))
        visited.append(path)
    return torch.stack(curves), visited


def test_walk():
    torch.manual_seed(0)
    layer = set_norms(CurveGrouping(6, 5, 4).eval()).double()
    x = torch.randn(3, 20, 6, dtype=torch.float64)
    neighbors = knn(x, x, 5)[..., 1:]
    curves = layer(x, neighbors)
    assert curves.shape == (3, 5, 4, 6)
    for b in range(3):
        expected, visited = walk_by_hand(layer, x[b], neighbors[b])
        torch.testing.assert_close(curves[b], expected)
        assert len({tuple(path) for path in visited}) > 1


def test_released_momentum():
    """The authors' view: the first weights of all curves, then the second ones, dealt out in
    pairs.
    """
    torch.manual_seed(0)
    layer = set_norms(CurveGrouping(6, 5, 2, 'released').eval())
    state, so_far = torch.randn(2, 5, 6), torch.randn(2, 5, 6)
    share = layer.momentum(torch.cat([state, so_far], dim=-1)).softmax(-1)
    mixed = layer._mix(state, so_far)
    for b in range(2):
        dealt = [share[b, i, 0] for i in range(5)] + [share[b, i, 1] for i in range(5)]
        for i in range(5):
            torch.testing.assert_close(
                mixed[b, i], dealt[2 * i] * state[b, i] + dealt[2 * i + 1] * so_far[b, i]
            )
    with pytest.raises(ValueError, match="momentum is 'code'"):
        CurveNet(momentum='code')


def test_crossover_suppression():
    last = torch.tensor([[[2.0, 0.0]]])
    options = torch.tensor([[[[3.0, 0.0], [0.0, 1.0], [-1.0, 3**0.5], [-5.0, 0.0], [0.0, 0.0]]]])
    torch.testing.assert_close(
        CurveGrouping._forwards(last, options), torch.tensor([[[1.0, 1.0, 0.5, 0.0, 1.0]]])
    )


def test_choice_is_hard_forwards_and_soft_backwards():
    torch.manual_seed(0)
    layer = CurveGrouping(6, 3, 2).eval()
    x = torch.randn(1, 12, 6)
    neighbors = knn(x, x, 5)[..., 1:]
    scaled = x * layer.start(x).sigmoid()
    curves = layer(x, neighbors)
    assert (
        torch.cdist(curves.flatten(1, 2), scaled).amin(-1).max() < 1e-5
    )  # every step lies on a point
    curves.sum().backward()
    for part in (layer.start, layer.agent.linear, layer.momentum.linear):
        assert part.weight.grad.abs().sum() > 0


def test_small_clouds():
    layer = CurveGrouping(6, 100, 3).eval()
    x = torch.randn(2, 4, 6)
    assert layer(x, knn(x, x, 3)).shape == (2, 4, 3, 6)
    with pytest.raises(ValueError, match='length is 1'):
        CurveGrouping(6, 4, 1)


def test_aggregation_by_hand():
    torch.manual_seed(0)
    layer = set_norms(CurveAggregation(6).eval())
    x, curves = torch.randn(2, 9, 6), torch.randn(2, 5, 4, 6)
    weight = layer.weight(curves)
    per_curve = layer.to_curve(sum(curves[:, :, t] * weight.softmax(2)[:, :, t] for t in range(4)))
    per_step = layer.to_step(sum(curves[:, n] * weight.softmax(1)[:, n] for n in range(5)))
    query = layer.query(x)
    seen = [
        torch.einsum('bnc,bmc->bnm', query, t).softmax(-1) @ value(t)
        for t, value in ((per_curve, layer.curve_value), (per_step, layer.step_value))
    ]
    torch.testing.assert_close(
        layer(x, curves), F.leaky_relu(x + layer.fuse(torch.cat(seen, -1)), 0.2)
    )


def test_local_aggregation_by_hand():
    torch.manual_seed(0)
    layer = set_norms(LocalAggregation(6).eval())
    coords, x = torch.rand(2, 20, 3), torch.randn(2, 20, 6)
    index = knn(coords, coords, 5)
    here, there = coords.unsqueeze(2).expand(-1, -1, 5, -1), group(coords, index)
    place = layer.place(torch.cat([here, there, there - here], -1))
    expected = layer.mlp(F.leaky_relu(group(x, index) - x.unsqueeze(2) + place, 0.2)).mean(2)
    torch.testing.assert_close(layer(coords, x, index), expected)


@pytest.mark.parametrize('out_channels', [8, 12])
def test_block_samples_by_balls(out_channels):
    torch.manual_seed(0)
    block = set_norms(CurveBlock(8, out_channels, 2, 10, 0.5, 5, None).eval())
    coords, x = torch.rand(2, 30, 3), torch.randn(2, 30, 8)
    centres, out, index = block(coords, x, knn(coords, coords, 6))
    assert torch.equal(centres, group(coords, farthest_point_sample(coords, 10)))
    assert torch.equal(index, knn(centres, centres, 6))
    pooled = group(x, ball_query(centres, coords, 0.5, 5)).max(2).values
    y = block.expand(block.local(centres, block.reduce(pooled), index[..., :5]))
    shortcut = pooled if out_channels == 8 else block.shortcut(pooled)
    torch.testing.assert_close(out, F.leaky_relu(y + shortcut, 0.2))
    assert torch.equal(block(centres, pooled, index)[1], out)  # ten points are kept as they are


def test_forward_by_hand():
    torch.manual_seed(0)
    net = set_norms(CurveNet(in_channels=5, **TINY).eval())
    points = torch.rand(2, 20, 5)
    out = net(points)
    coords = points[..., :3]
    index = knn(coords, coords, 6)
    near, here = group(points, index[..., :5]), coords.unsqueeze(2).expand(-1, -1, 5, -1)
    edges = torch.cat([here, near[..., :3], near[..., :3] - here, near[..., 3:]], -1)
    x = net.embedding(edges).max(2).values
    for stage in net.stages:
        for block in stage:
            coords, x, _ = block(coords, x, None)
    x = net.fuse(x)
    torch.testing.assert_close(
        out.global_feat, torch.cat([x.max(1).values, x.mean(1)], -1), atol=1e-5, rtol=1e-4
    )
    assert torch.equal(out.coords, coords) and [tuple(s.shape) for s in out.stages] == [
        (2, 8, 20),
        (2, 12, 10),
    ]


def test_published_geometry():
    with torch.device('meta'):
        net = CurveNet()
    blocks = [block for stage in net.stages for block in stage]
    assert [b.num_points for b in blocks] == [1024] * 4 + [256] * 2 + [64] * 2
    assert [b.grouping is not None for b in blocks] == [True] * 4 + [False] * 4
    assert {(b.grouping.num_curves, b.grouping.length) for b in blocks[:4]} == {(100, 5)}
    assert [b.reduce.out_channels for b in blocks] == [16, 16, 32, 32, 64, 64, 128, 128]


def test_order_of_points_does_not_matter_without_sampling():
    torch.manual_seed(0)
    net, points = CurveNet(**{**TINY, 'num_points': (24, 24)}).eval(), torch.rand(2, 20, 3)
    order = torch.randperm(20)
    torch.testing.assert_close(
        net(points[:, order]).global_feat, net(points).global_feat, atol=1e-5, rtol=1e-4
    )


def test_unequal_lists():
    with pytest.raises(ValueError, match='4 channels, 2 num_points'):
        CurveNet(num_points=(64, 32))
