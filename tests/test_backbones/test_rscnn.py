"""RS-CNN against its rules written out: balls, relations, convolutions."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.backbones import RSCNN
from pcdet_kd.backbones.rscnn import centred_ball
from pcdet_kd.ops import farthest_point_sample, group

KEYS = Path(__file__).parents[1] / 'data' / 'official_keys'
TINY = dict(
    channels=(8, 12),
    num_points=(16, 6),
    radii=(0.5, 0.8),
    num_neighbors=(5, 7),
    lift_channels=4,
    global_channels=10,
)


def ball_of_the_authors(cloud, centre, radius, k):
    """The centre, then the first k points with 0 < d^2 < r^2 in storage order, and the centre in
    places that are left.
    """
    squared = ((cloud - cloud[centre]) ** 2).sum(1)
    found = [j for j in range(len(cloud)) if 0 < squared[j] < radius**2][:k]
    return [centre, *found, *[centre] * (k - len(found))]


@pytest.mark.parametrize('k', [1, 4, 30])
@pytest.mark.parametrize('n', [1, 3, 40])
def test_ball(n, k):
    torch.manual_seed(0)
    points = torch.rand(2, n, 3)
    chosen = farthest_point_sample(points, max(1, n // 2))
    index = centred_ball(group(points, chosen), points, chosen, 0.6, k)
    assert index.shape == (2, chosen.shape[1], k + 1)
    for b in range(2):
        for row, centre in zip(index[b].tolist(), chosen[b].tolist()):
            assert row == ball_of_the_authors(points[b], centre, 0.6, k)


@pytest.mark.parametrize('radius', [0.05, 0.4, 0.6])
@pytest.mark.parametrize('k', [1, 4, 8, 30])
def test_copies_of_the_centre_take_no_place(k, radius):
    torch.manual_seed(k)
    points = torch.rand(2, 20, 3)[:, torch.randint(20, (45,))]
    chosen = torch.randint(45, (2, 20))
    expected = [
        [ball_of_the_authors(cloud, i, radius, k) for i in row]
        for cloud, row in zip(points, chosen.tolist())
    ]
    assert centred_ball(group(points, chosen), points, chosen, radius, k).tolist() == expected


def test_an_empty_ball_is_told_from_one_that_holds_point_0():
    points = torch.tensor([[[0.0, 0, 0], [0.1, 0, 0], [5, 5, 5], [5, 5, 5]]])
    index = centred_ball(points[:, [1, 3, 0]], points, torch.tensor([[1, 3, 0]]), 0.5, 2)
    assert index.tolist() == [[[1, 0, 1], [3, 3, 3], [0, 1, 0]]]


def test_ball_is_open_and_copies_of_the_centre_are_the_centre():
    points = torch.tensor([[[0.0, 0, 0], [0.5, 0, 0], [0, 0, 0], [0, 0.25, 0]]])
    index = centred_ball(points[:, :1], points, torch.tensor([[0]]), 0.5, 3)
    assert index.tolist() == [[[0, 3, 0, 0]]]


def conv(x, linear):
    """A 1x1 convolution on (B, C, M, k)."""
    return F.conv2d(x, linear.weight[:, :, None, None], linear.bias)


def norm(x, layer):
    return F.batch_norm(x, None, None, layer.weight, layer.bias, training=True)


@pytest.mark.parametrize('prior', ['released', 'paper'])
def test_convolution_by_hand(prior):
    torch.manual_seed(0)
    net = RSCNN(in_channels=4, relation_prior=prior, **TINY).double()
    for p in net.parameters():
        p.data.normal_()
    points = torch.rand(3, 30, 4, dtype=torch.float64)
    coords, features, out = points[..., :3], points[..., 3:], net(points)
    for stage, layer in enumerate(net.convs):
        chosen = farthest_point_sample(coords, layer.num_points)
        index = torch.tensor(
            [
                [ball_of_the_authors(cloud, i, layer.radius, layer.num_neighbors) for i in row]
                for cloud, row in zip(coords, chosen.tolist())
            ]
        )
        x_j = group(coords, index).permute(0, 3, 1, 2)
        x_i = x_j[..., :1]
        d = x_j - x_i
        x_i, x_j = (x_i.expand_as(d), x_j) if prior == 'paper' else (torch.zeros_like(d), d)
        h = torch.cat([d.norm(dim=1, keepdim=True), x_i, x_j, d], 1)
        w = conv(
            norm(conv(h, layer.relation[0].linear), layer.relation[0].norm).relu(),
            layer.relation[1],
        )
        x = torch.cat([d, group(features, index).permute(0, 3, 1, 2)], 1)
        if stage == 0:
            x = norm(conv(x, layer.lift.linear), layer.lift.norm).relu()
        x = norm(w * x, layer.norm).relu().amax(3, keepdim=True)
        features = (
            norm(conv(x, layer.raising.linear), layer.raising.norm)
            .relu()
            .squeeze(3)
            .transpose(1, 2)
        )
        coords = group(coords, chosen)
        torch.testing.assert_close(out.stages[stage], features.transpose(1, 2))
    torch.testing.assert_close(out.global_feat, net.global_conv(coords, features)[0])
    assert torch.equal(out.coords, coords)


def test_published_geometry():
    with torch.device('meta'):
        net = RSCNN()
    assert [(c.num_points, c.radius, c.num_neighbors) for c in net.convs] == [
        (512, 0.23, 48),
        (128, 0.32, 64),
    ]
    assert [c.relation[0].out_channels for c in net.convs] == [64, 128]
    assert net.convs[0].relation_prior == 'released'


def test_shapes_are_the_authors():
    """Every tensor of Yochengliu/Relation-Shape-CNN has its place, but for the head."""
    with torch.device('meta'):
        state = RSCNN().state_dict()
    rows = [
        line.split()
        for line in (KEYS / 'rscnn_ssn.txt').read_text().splitlines()
        if line.startswith('SA')
    ]
    theirs = Counter(
        (key.split('.')[-1], tuple(n for n in map(int, shape.split('x')) if n > 1))
        for key, shape in rows
        if shape != 'scalar'
    )
    assert (
        Counter((key.split('.')[-1], tuple(v.shape)) for key, v in state.items() if v.dim())
        == theirs
    )


def test_unused_parameters_are_kept_frozen_or_left_out():
    kept, without = RSCNN(**TINY), RSCNN(**TINY, keep_unused=False)
    frozen = [name for name, p in kept.named_parameters() if not p.requires_grad]
    assert frozen == ['convs.1.unused_norm.weight', 'convs.1.unused_norm.bias']
    assert all(p.requires_grad for p in without.parameters())
    assert set(kept.state_dict()) - set(without.state_dict()) == {
        f'convs.1.unused_norm.{name}'
        for name in ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
    }
    without.load_state_dict({k: v for k, v in kept.state_dict().items() if 'unused' not in k})
    points = torch.rand(2, 30, 3)
    torch.testing.assert_close(without.eval()(points).global_feat, kept.eval()(points).global_feat)


def test_options_reach_the_layers():
    net = RSCNN(**TINY, compat='pointnet2', fps_start='random')
    assert all((c.compat, c.fps_start) == ('pointnet2', 'random') for c in net.convs)
    points = torch.rand(2, 30, 3)
    assert not torch.equal(net(points).coords, net(points).coords)
    assert torch.equal(net.eval()(points).coords, net(points).coords)
    points[:, 7] = 0.01  # the CUDA extension never samples points so near the origin
    samples = [
        RSCNN(**{**TINY, 'num_points': (29, 29)}, compat=compat)(points).coords
        for compat in (None, 'pointnet2')
    ]
    assert (samples[0] == 0.01).any() and not (samples[1] == 0.01).any()


def test_weights_start_as_the_authors():
    torch.manual_seed(0)
    net = RSCNN()
    for module in net.modules():
        if isinstance(module, torch.nn.Linear):
            assert not module.bias.any()
            assert module.weight.std().item() == pytest.approx(
                (2 / module.in_features) ** 0.5, rel=0.25
            )


def test_wrong_arguments():
    with pytest.raises(ValueError, match="relation_prior is 'both'"):
        RSCNN(relation_prior='both')
    with pytest.raises(ValueError, match='2 channels, 1 num_points'):
        RSCNN(num_points=(512,))
    with pytest.raises(ValueError, match='fps_start is 1'):
        RSCNN(fps_start=1)
