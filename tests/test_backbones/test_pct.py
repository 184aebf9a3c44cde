"""PCT: offset attention, neighbour embedding, options."""

import pytest
import torch

from pcdet_kd.backbones import PCT
from pcdet_kd.backbones.pct import NeighborEmbedding, OffsetAttention
from pcdet_kd.ops import farthest_point_sample, group, knn

TINY = dict(
    embed_channels=4,
    channels=(6, 8),
    num_points=(16, 8),
    num_neighbors=5,
    num_attentions=2,
    out_channels=12,
)


@pytest.mark.parametrize('share_qk', [True, False])
def test_offset_attention(share_qk):
    torch.manual_seed(0)
    layer = OffsetAttention(8, share_qk).eval().double()
    x = torch.randn(1, 5, 8, dtype=torch.float64)
    query = x[0] @ (layer.key if share_qk else layer.query).weight.T
    key, value = x[0] @ layer.key.weight.T, x[0] @ layer.value.weight.T + layer.value.bias
    look = torch.stack(
        [(query[i] @ key.T).exp() / (query[i] @ key.T).exp().sum() for i in range(5)]
    )
    seen = torch.stack(
        [sum(look[i, j] * value[i] for i in range(5)) / (1e-9 + look[:, j].sum()) for j in range(5)]
    )
    offset = (x[0] - seen) @ layer.transfer.linear.weight.T + layer.transfer.linear.bias
    expected = x[0] + (offset / (1 + 1e-5) ** 0.5).relu()  # BatchNorm as it is initialised
    torch.testing.assert_close(layer(x)[0], expected)
    assert layer.key.out_features == 2 and layer.value.bias is not None and layer.key.bias is None


def test_neighbor_embedding_by_hand():
    torch.manual_seed(0)
    layer = NeighborEmbedding(4, 6, 8, 5, None, 0).eval()
    coords, x = torch.rand(2, 20, 3), torch.randn(2, 20, 4)
    chosen = farthest_point_sample(coords, 8)
    index = knn(group(coords, chosen), coords, 5)
    centre = group(x, chosen).unsqueeze(2).expand(-1, -1, 5, -1)
    expected = (
        layer.mlp(layer.edge(torch.cat([group(x, index) - centre, centre], -1))).max(2).values
    )
    centres, out = layer(coords, x)
    assert torch.equal(centres, group(coords, chosen))
    torch.testing.assert_close(out, expected)


def test_forward_by_hand():
    torch.manual_seed(0)
    net = PCT(in_channels=4, **TINY).eval()
    points = torch.rand(2, 30, 4)
    out = net(points)
    coords, x = points[..., :3], net.embedding(points)
    for layer in net.neighbors:
        coords, x = layer(coords, x)
    first = net.attentions[0](net.pre(x))
    second = net.attentions[1](first)
    fused = net.fuse(torch.cat([first, second, x], -1))
    torch.testing.assert_close(out.global_feat, fused.max(1).values)
    torch.testing.assert_close(out.point_feats, fused.transpose(1, 2))
    assert torch.equal(out.coords, coords)
    assert [tuple(s.shape) for s in out.stages] == [(2, 6, 16), (2, 8, 8), (2, 8, 8), (2, 8, 8)]


def test_published_geometry():
    with torch.device('meta'):
        net = PCT()
    assert [(n.num_points, n.num_neighbors, n.edge.out_channels) for n in net.neighbors] == [
        (512, 32, 128),
        (256, 32, 256),
    ]
    assert (
        len(net.attentions) == 4
        and net.fuse.linear.in_features == 1280
        and net.fuse.act.negative_slope == 0.2
    )


def test_order_of_points_does_not_matter_after_the_first():
    torch.manual_seed(0)
    net, points = PCT(**TINY).eval(), torch.rand(2, 30, 3)
    order = torch.cat(
        [torch.tensor([0]), 1 + torch.randperm(29)]
    )  # sampling starts at the first point
    torch.testing.assert_close(
        net(points[:, order]).global_feat, net(points).global_feat, atol=1e-5, rtol=1e-4
    )


def test_options_reach_the_layers():
    net = PCT(**TINY, share_qk=False, compat='pointnet2', fps_start='random')
    assert all((n.compat, n.fps_start) == ('pointnet2', 'random') for n in net.neighbors)
    assert all(a.query is not None for a in net.attentions)


def test_wrong_arguments():
    with pytest.raises(ValueError, match='1 channels, 2 num_points'):
        PCT(channels=(8,))
    with pytest.raises(ValueError, match='fps_start is 3'):
        PCT(**TINY, fps_start=3)
