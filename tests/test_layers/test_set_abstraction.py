"""Set abstraction against loops over centres and neighbours."""

import pytest
import torch

from pcdet_kd.layers import GlobalSetAbstraction, SetAbstraction
from pcdet_kd.ops import ball_query, farthest_point_sample


def cloud(batch=2, n=20, channels=4):
    torch.manual_seed(0)
    return torch.rand(batch, n, 3), torch.rand(batch, n, channels)


@pytest.mark.parametrize('features', [True, False])
def test_reference_with_two_scales(features):
    coords, feats = cloud()
    feats = feats if features else None
    layer = SetAbstraction(6, [0.3, 0.6], [4, 5], 4 if features else 0, [[8], [8, 16]]).eval()
    assert layer.out_channels == 24
    centres, out = layer(coords, feats)
    chosen = farthest_point_sample(coords, 6)
    for b in range(2):
        torch.testing.assert_close(centres[b], coords[b, chosen[b]])
        for m in range(6):
            parts = []
            for radius, k, mlp in zip((0.3, 0.6), (4, 5), layer.mlps):
                index = ball_query(centres, coords, radius, k)[b, m]
                rows = [
                    torch.cat([coords[b, j] - centres[b, m], *([feats[b, j]] if features else [])])
                    for j in index
                ]
                parts.append(mlp(torch.stack(rows)).max(0).values)
            torch.testing.assert_close(out[b, m], torch.cat(parts))


def test_a_small_cloud_keeps_its_points():
    layer = SetAbstraction(64, [0.5], [16], 0, [[8]])
    centres, out = layer(torch.rand(2, 3, 3))
    assert centres.shape == (2, 3, 3) and out.shape == (2, 3, 8)


def test_random_start_in_training_only():
    coords, _ = cloud(1, 64)
    layer = SetAbstraction(4, [0.3], [4], 0, [[8]], fps_start='random')
    assert len({tuple(layer(coords)[0][0, 0].tolist()) for _ in range(8)}) > 1
    layer.eval()
    assert all(torch.equal(layer(coords)[0][0, 0], coords[0, 0]) for _ in range(8))


def test_conventions_of_the_cuda_extension():
    coords = torch.tensor([[[1.0, 0, 0], [0, 0, 0], [0.9, 0, 0]]])
    layer = SetAbstraction(3, [1.0], [3], 0, [[4]], compat='pointnet2').eval()
    assert not (layer(coords)[0] == 0).all(-1).any()  # the point at the origin is never a centre
    layer = SetAbstraction(3, [1.0], [3], 0, [[4]]).eval()
    assert (layer(coords)[0] == 0).all(-1).any()


@pytest.mark.parametrize('compat', [None, 'pointnet2'])
def test_a_point_on_the_sphere_is_inside_unless_balls_are_open(compat):
    layer = SetAbstraction(1, [0.5], [2], 0, [[4]], compat=compat).eval()
    alone, beside = torch.tensor([[[1.0, 0, 0]]]), torch.tensor([[[1.0, 0, 0], [1.5, 0, 0]]])
    layer.mlps[0][0].linear.weight.data.abs_()  # the second point, at +x, has the larger features
    assert torch.equal(layer(alone)[1], layer(beside)[1]) == (compat == 'pointnet2')


def test_wrong_arguments():
    with pytest.raises(ValueError, match='one of each per scale'):
        SetAbstraction(4, [0.1, 0.2], [4], 0, [[8]])
    with pytest.raises(ValueError, match="fps_start is 'first'"):
        SetAbstraction(4, [0.1], [4], 0, [[8]], fps_start='first')


def test_group_all_uses_absolute_positions():
    coords, feats = cloud()
    layer = GlobalSetAbstraction(4, [8, 16]).eval()
    pooled, points = layer(coords, feats)
    torch.testing.assert_close(points, layer.mlp(torch.cat([coords, feats], -1)))
    torch.testing.assert_close(pooled, points.max(1).values)
    assert not torch.allclose(layer(coords + 1, feats)[0], pooled)
