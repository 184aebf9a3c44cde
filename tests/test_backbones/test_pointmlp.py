"""PointMLP and PointMLP-elite: stages and options."""

import pytest
import torch

from pcdet_kd.backbones import PointMLP, PointMLPElite

TINY = dict(embed_channels=4, channels=(8, 8, 8, 16), num_points=(16, 8, 4, 2), num_neighbors=5)


def test_forward_by_hand():
    torch.manual_seed(0)
    net = PointMLP(in_channels=4, **TINY).eval()
    points = torch.rand(2, 30, 4)
    out = net(points)
    coords, x = points[..., :3], net.embedding(points)
    for stage, expected in zip(net.stages, out.stages):
        coords, grouped = stage.grouper(coords, x)
        x = stage.transfer(grouped)
        for block in stage.pre:
            x = block(x)
        x = x.max(2).values
        for block in stage.pos:
            x = block(x)
        torch.testing.assert_close(expected, x.transpose(1, 2))
    torch.testing.assert_close(out.global_feat, x.max(1).values)
    assert torch.equal(out.coords, coords) and coords.shape == (2, 2, 3)


def test_published_geometry():
    with torch.device('meta'):
        net, elite = PointMLP(), PointMLPElite()
    for model in (net, elite):
        assert [s.grouper.num_points for s in model.stages] == [512, 256, 128, 64]
        assert {s.grouper.num_neighbors for s in model.stages} == {24}
    assert [len(s.pre) for s in net.stages] == [len(s.pos) for s in net.stages] == [2, 2, 2, 2]
    assert [len(s.pre) for s in elite.stages] == [len(s.pos) for s in elite.stages] == [1, 1, 2, 1]
    assert (net.out_channels, elite.out_channels) == (1024, 256)
    assert elite.stages[0].pre[0].net1.out_channels == 16


def test_extra_arguments_of_elite_are_those_of_pointmlp():
    net = PointMLPElite(num_neighbors=7, compat='pointnet2', fps_start='random')
    assert all(
        (s.grouper.num_neighbors, s.grouper.compat, s.grouper.fps_start)
        == (7, 'pointnet2', 'random')
        for s in net.stages
    )
    with pytest.raises(ValueError, match='PointMLPElite: in_channels is 2'):
        PointMLPElite(in_channels=2)


def test_unequal_lists():
    with pytest.raises(ValueError, match='3 channels, 4 num_points'):
        PointMLP(channels=(8, 8, 8))


def test_a_sample_does_not_depend_on_the_scale_of_another():
    # The first release normalised over the batch, so that a neighbour's scale leaked in.
    net = PointMLP(**TINY).eval()
    points = torch.rand(2, 30, 3)
    expected = net(points).global_feat[0]
    points[1] *= 100
    torch.testing.assert_close(net(points).global_feat[0], expected)


def test_levels_go_from_the_embedded_points_to_the_last_centres():
    net = PointMLPElite(num_points=(16, 8, 4, 2), num_neighbors=4).eval()
    points = torch.randn(2, 32, 3)
    out = net(points)
    assert torch.equal(out.levels[0].feats, net.embedding(points))
    assert torch.equal(out.levels[0].coords, points)
    for level, stage in zip(out.levels[1:], out.stages):
        assert torch.equal(level.feats.transpose(1, 2), stage)
    assert [level.coords.shape[1] for level in out.levels] == [32, 16, 8, 4, 2]
