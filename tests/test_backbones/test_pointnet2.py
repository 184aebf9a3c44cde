"""PointNet++: stages, order, options."""

import pytest
import torch

from pcdet_kd.backbones import PointNet2MSG, PointNet2SSG

TINY = dict(
    num_points=(16, 4),
    radii=(0.4, 0.8),
    num_neighbors=(4, 6),
    mlp_channels=((8, 8), (8, 12)),
    global_channels=(16,),
)


def test_stages():
    torch.manual_seed(0)
    net = PointNet2SSG(in_channels=4, **TINY).eval()
    points = torch.rand(2, 40, 4)
    out = net(points)
    c1, f1 = net.set_abstractions[0](points[..., :3], points[..., 3:])
    c2, f2 = net.set_abstractions[1](c1, f1)
    torch.testing.assert_close(out.stages[0], f1.transpose(1, 2))
    torch.testing.assert_close(out.stages[1], f2.transpose(1, 2))
    assert torch.equal(out.coords, c2) and out.point_feats.shape == (2, 16, 4)
    torch.testing.assert_close(out.global_feat, net.global_abstraction(c2, f2)[0])
    assert [tuple(s.shape) for s in out.stages] == [(2, 8, 16), (2, 12, 4)]


def test_extra_channels_matter():
    net = PointNet2SSG(in_channels=4, **TINY).eval()
    points = torch.rand(2, 40, 4)
    other = torch.cat([points[..., :3], points[..., 3:] + 1], -1)
    assert not torch.allclose(net(points).global_feat, net(other).global_feat)


def test_options_reach_the_layers():
    net = PointNet2SSG(**TINY, bias=True, compat='pointnet2', fps_start='random')
    assert all(s.compat == 'pointnet2' and s.fps_start == 'random' for s in net.set_abstractions)
    assert all(layer.linear.bias is not None for s in net.set_abstractions for layer in s.mlps[0])
    assert net.global_abstraction.mlp[0].linear.bias is not None
    assert PointNet2SSG(**TINY).global_abstraction.mlp[0].linear.bias is None


def test_published_geometry():
    with torch.device('meta'):
        net = PointNet2SSG()
    assert [(s.num_points, s.radii, s.num_neighbors) for s in net.set_abstractions] == [
        (512, (0.2,), (32,)),
        (128, (0.4,), (64,)),
    ]


def test_unequal_lists():
    with pytest.raises(ValueError, match='2 num_points, 1 radii'):
        PointNet2SSG(**{**TINY, 'radii': (0.4,)})


def test_multi_scale_with_one_scale_is_single_scale():
    torch.manual_seed(0)
    single = PointNet2SSG(**TINY).eval()
    multi = PointNet2MSG(
        **{
            key: [[v] for v in value]
            if key in ('radii', 'num_neighbors', 'mlp_channels')
            else value
            for key, value in TINY.items()
        }
    ).eval()
    multi.load_state_dict(single.state_dict(), strict=True)
    points = torch.rand(2, 40, 3)
    assert torch.equal(multi(points).global_feat, single(points).global_feat)


def test_published_geometry_of_multi_scale():
    with torch.device('meta'):
        net = PointNet2MSG()
    assert [stage.out_channels for stage in net.set_abstractions] == [320, 640]
    assert [(s.num_points, s.radii, s.num_neighbors) for s in net.set_abstractions] == [
        (512, (0.1, 0.2, 0.4), (16, 32, 128)),
        (128, (0.2, 0.4, 0.8), (32, 64, 128)),
    ]
    assert sum(p.numel() for p in net.parameters()) == 1_075_680
    with pytest.raises(ValueError, match='PointNet2MSG: 2 num_points, 1 radii'):
        PointNet2MSG(radii=((0.4,),))


def test_levels_go_from_the_points_with_their_features_to_the_last_centres():
    net = PointNet2MSG(in_channels=5, num_points=(16, 8)).eval()
    points = torch.randn(2, 32, 5)
    out = net(points)
    assert torch.equal(out.levels[0].feats, points)
    assert torch.equal(out.levels[0].coords, points[..., :3])
    assert [level.coords.shape[1] for level in out.levels] == [32, 16, 8]
    for level, stage in zip(out.levels[1:], out.stages):
        assert torch.equal(level.feats.transpose(1, 2), stage)
    assert torch.equal(out.levels[-1].coords, out.coords)
