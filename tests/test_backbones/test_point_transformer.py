"""Point Transformer: vector attention, transitions, stages."""

import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.backbones import PointTransformer
from pcdet_kd.backbones.point_transformer import (
    PointTransformerBlock,
    TransitionDown,
    VectorAttention,
)
from pcdet_kd.ops import farthest_point_sample, group, knn

TINY = dict(channels=(8, 16), blocks=(1, 2), strides=(1, 4), num_neighbors=(4, 5))


def test_vector_attention():
    torch.manual_seed(0)
    layer = VectorAttention(8, share=4).eval().double()
    layer.norm.running_mean.normal_()
    coords, x = (
        torch.rand(2, 12, 3, dtype=torch.float64),
        torch.randn(2, 12, 8, dtype=torch.float64),
    )
    index = knn(coords, coords, 5)
    query, key, value = layer.query(x), layer.key(x), layer.value(x)
    out = layer(coords, x, index)
    for b in range(2):
        for i in range(12):
            near = index[b, i].tolist()
            place = [layer.place((coords[b, j] - coords[b, i])[None])[0] for j in near]
            score = [
                layer.weight(layer.norm((key[b, j] - query[b, i] + p)[None]).relu())[0]
                for j, p in zip(near, place)
            ]
            weight = (
                torch.stack(score).softmax(0).repeat(1, 4)
            )  # channels c, c + 2, c + 4, c + 6 share a weight
            expected = sum(w * (value[b, j] + p) for w, j, p in zip(weight, near, place))
            torch.testing.assert_close(out[b, i], expected)


def test_block_by_hand():
    torch.manual_seed(0)
    block = PointTransformerBlock(8, share=4).eval()
    coords, x = torch.rand(2, 12, 3), torch.randn(2, 12, 8)
    index = knn(coords, coords, 5)
    y = block.attention(coords, block.reduce(x), index)
    y = block.norm(y.transpose(1, 2)).transpose(1, 2).relu()
    torch.testing.assert_close(block(coords, x, index), F.relu(x + block.expand(y)))


def test_transition_by_hand():
    torch.manual_seed(0)
    layer = TransitionDown(4, 6, 4, 5, None, 0).eval()
    coords, x = torch.rand(2, 21, 3), torch.randn(2, 21, 4)
    centres, out = layer(coords, x)
    assert torch.equal(centres, group(coords, farthest_point_sample(coords, 5)))
    index = knn(centres, coords, 5)
    edges = torch.cat([group(coords, index) - centres.unsqueeze(2), group(x, index)], -1)
    torch.testing.assert_close(out, layer.layer(edges).max(2).values)
    same, out = TransitionDown(4, 6, 1, 5, None, 0)(coords, x)
    assert same is coords and out.shape == (2, 21, 6)


def test_forward_by_hand():
    torch.manual_seed(0)
    net = PointTransformer(in_channels=6, **TINY).eval()
    points = torch.rand(2, 30, 6)
    out = net(points)
    coords, x = points[..., :3], points
    for stage, k in ((0, 4), (1, 5)):
        coords, x = net.downs[stage](coords, x)
        for block in net.stages[stage]:
            x = block(coords, x, knn(coords, coords, k))
        torch.testing.assert_close(out.stages[stage], x.transpose(1, 2))
    torch.testing.assert_close(out.global_feat, x.mean(1))
    assert torch.equal(out.coords, coords) and coords.shape == (2, 7, 3) and len(net.stages[1]) == 2


def test_published_geometry():
    with torch.device('meta'):
        net = PointTransformer()
    assert [down.stride for down in net.downs] == [1, 4, 4, 4, 4] and net.num_neighbors == (
        8,
        16,
        16,
        16,
        16,
    )
    assert [down.layer.out_channels for down in net.downs] == [32, 64, 128, 256, 512]
    assert [stage[0].attention.weight[1].out_features for stage in net.stages] == [4, 8, 16, 32, 64]


def test_stages_without_attention():
    out = PointTransformer(**{**TINY, 'blocks': (0, 1)}).eval()(torch.rand(2, 30, 3))
    assert out.global_feat.shape == (2, 16)


def test_order_of_points_does_not_matter_after_the_first():
    torch.manual_seed(0)
    net, points = PointTransformer(**TINY).eval(), torch.rand(2, 30, 3)
    order = torch.cat(
        [torch.tensor([0]), 1 + torch.randperm(29)]
    )  # sampling starts at the first point
    torch.testing.assert_close(
        net(points[:, order]).global_feat, net(points).global_feat, atol=1e-5, rtol=1e-4
    )


def test_options_reach_the_layers():
    net = PointTransformer(**TINY, compat='pointnet2', fps_start='random', share=4)
    assert all((d.compat, d.fps_start) == ('pointnet2', 'random') for d in net.downs)
    assert net.stages[0][0].attention.share == 4


def test_wrong_arguments():
    with pytest.raises(ValueError, match='5 channels, 2 blocks'):
        PointTransformer(blocks=(1, 1))
    with pytest.raises(ValueError, match='12 channels cannot be shared by 8'):
        PointTransformer(**{**TINY, 'channels': (12, 16)})
    with pytest.raises(ValueError, match='fps_start is 2'):
        PointTransformer(**TINY, fps_start=2)
