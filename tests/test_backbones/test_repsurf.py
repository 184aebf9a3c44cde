"""RepSurf-U: umbrellas one by one, clouds without surfaces, set abstractions."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.backbones import RepSurf
from pcdet_kd.backbones.repsurf import spherical, umbrellas
from pcdet_kd.ops import ball_query, farthest_point_sample, group

KEYS = Path(__file__).parents[1] / 'data' / 'official_keys'
TINY = dict(
    num_points=(16, 6),
    radii=(0.4, 0.8),
    num_neighbors=(5, 6),
    mlp_channels=((6, 8), (8, 10)),
    global_channels=(12,),
)


def test_spherical_by_hand():
    half = math.sqrt(0.5)
    rows = [
        ((0, 0, 0), (0, 0, 0.5)),
        ((0, 0, 2), (2, 0, 0.5)),
        ((0, 0, -2), (2, 1, 0.5)),
        ((1, 0, 0), (1, 0.5, 0.5)),
        ((0, 3, 0), (3, 0.5, 0.75)),
        ((-1, 0, 0), (1, 0.5, 1)),
        ((0, -1, 0), (1, 0.5, 0.25)),
        ((half, 0, half), (1, 0.25, 0.5)),
    ]
    xyz, expected = (torch.tensor([row[i] for row in rows], dtype=torch.float64) for i in (0, 1))
    torch.testing.assert_close(spherical(xyz), expected)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_spherical_has_gradients_everywhere(dtype):
    xyz = torch.tensor(
        [
            [0, 0, 0],
            [0, 0, 1],
            [0, 0, -1],
            [1e-20, 0, 1],
            [1e-20, 1e-20, 0],
            [1e-4, 0, 1],
            [1, 2, 3],
        ],
        dtype=dtype,
    )
    xyz.requires_grad_()
    out = spherical(xyz)
    out.sum().backward()
    assert torch.isfinite(out).all() and torch.isfinite(xyz.grad).all()
    general = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(spherical, general)


def umbrella_by_hand(cloud, i, k):
    """(k, 10) of point i, as the authors' code goes about it."""
    distance = ((cloud - cloud[i]) ** 2).sum(1)
    nearest = np.argsort(distance, kind='stable')[1 : k + 1]
    points = cloud[nearest] - cloud[i]
    points = points[np.argsort(np.arctan2(points[:, 1], points[:, 0]))]
    rows, sign = [], None
    for a, b in zip(points, np.roll(points, -1, axis=0)):
        normal = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
        sign = sign or (1 if normal[0] > 0 else -1)
        centre = (np.zeros(3) + a + b) / 3
        rho = np.linalg.norm(centre)
        polar = (
            rho,
            np.arccos(centre[2] / rho) / np.pi,
            np.arctan2(centre[1], centre[0]) / (2 * np.pi) + 0.5,
        )
        rows.append([*centre, *polar, *(sign * normal), sign * normal @ centre / np.sqrt(3)])
    return np.array(rows)


def test_umbrellas_by_hand():
    torch.manual_seed(0)
    coords = torch.randn(2, 20, 3, dtype=torch.float64)
    out = umbrellas(coords, 8)
    for b in range(2):
        for i in range(20):
            np.testing.assert_allclose(
                out[b, i], umbrella_by_hand(coords[b].numpy(), i, 8), atol=1e-9
            )
    flipped = umbrellas(coords, 8, torch.tensor([1, -1]).view(2, 1, 1, 1))
    assert torch.equal(flipped[0], out[0])
    assert torch.equal(flipped[1, ..., 6:], -out[1, ..., 6:]) and torch.equal(
        flipped[1, ..., :6], out[1, ..., :6]
    )


def test_triangles_without_an_area_take_the_first_with_one():
    # around the origin: (1, 0, 0) twice, (0, 1, 0) and (-1, 0, 0): in the order of phi the first
    # triangle has no area
    coords = torch.tensor(
        [[[0.0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0]]], dtype=torch.float64
    )
    out = umbrellas(coords, 4)[0, 0]
    centres = torch.tensor([[2.0, 0, 0], [1, 1, 0], [-1, 1, 0], [0, 0, 0]], dtype=torch.float64) / 3
    torch.testing.assert_close(out[:, :3], centres[[1, 1, 2, 1]])
    torch.testing.assert_close(
        out[:, 3:6], spherical(centres)
    )  # the authors' code leaves these as they are
    torch.testing.assert_close(
        out[:, 6:9], torch.tensor([[0.0, 0, -1]], dtype=torch.float64).expand(4, 3)
    )  # x > 0 is false


@pytest.mark.parametrize('n', range(1, 10))
@pytest.mark.parametrize('kind', ['random', 'line', 'one place'])
def test_clouds_without_surfaces(kind, n):
    torch.manual_seed(0)
    points = {
        'random': torch.rand(2, n, 3),
        'line': torch.arange(2.0 * n).view(2, n, 1) * torch.tensor([0.1, 0.2, 0.3]),
        'one place': torch.ones(2, n, 3),
    }[kind].requires_grad_()
    out = umbrellas(points, 8)
    assert out.shape == (2, n, 8, 10) and torch.isfinite(out).all()
    if kind == 'one place':
        assert not out[..., 6:].any()
    net = RepSurf(**TINY)
    net(points).global_feat.square().sum().backward()
    grads = [points.grad, *(p.grad for p in net.parameters())]
    assert all(torch.isfinite(grad).all() for grad in grads)


def conv(x, layer):
    x = F.conv2d(x, layer.linear.weight[:, :, None, None], layer.linear.bias)
    return F.batch_norm(x, None, None, layer.norm.weight, layer.norm.bias, training=True)


def two_branches(positions, features, mlp):
    x = torch.cat([positions, spherical(positions)], -1).permute(0, 3, 1, 2)
    x = (conv(x, mlp.position) + conv(features.permute(0, 3, 1, 2), mlp.feature)).relu()
    for layer in mlp.rest:
        x = conv(x, layer).relu()
    return x


def test_forward_by_hand():
    torch.manual_seed(0)
    net = RepSurf(in_channels=4, flip=None, **TINY).double()
    points = torch.rand(3, 30, 4, dtype=torch.float64)
    out, coords = net(points), points[..., :3]
    x = umbrellas(coords, 8).permute(0, 3, 1, 2)
    for layer in net.surface.mlp[0]:
        x = conv(x, layer).relu()
    last = net.surface.mlp[1]
    surfaces = F.conv2d(x, last.weight[:, :, None, None], last.bias).sum(3).transpose(1, 2)
    features = points[..., 3:]
    for i, stage in enumerate(net.set_abstractions):
        chosen = farthest_point_sample(coords, (16, 6)[i])
        centres = group(coords, chosen)
        index = ball_query(centres, coords, (0.4, 0.8)[i], (5, 6)[i])
        known = group(torch.cat([surfaces, features], -1), index)
        x = two_branches(group(coords, index) - centres.unsqueeze(2), known, stage.mlp).amax(3)
        coords, surfaces, features = centres, group(surfaces, chosen), x.transpose(1, 2)
        torch.testing.assert_close(out.stages[i], x)
    x = two_branches(
        coords.unsqueeze(2), torch.cat([surfaces, features], -1).unsqueeze(2), net.global_mlp
    ).squeeze(3)
    torch.testing.assert_close(out.point_feats, x)
    torch.testing.assert_close(out.global_feat, x.amax(2))
    assert (
        net.surface.mlp[0][0].linear.bias is None and net.surface.mlp[0][1].linear.bias is not None
    )


@pytest.mark.parametrize(
    ('flip', 'in_training', 'in_evaluation'),
    [('training', True, False), ('always', True, True), (None, False, False)],
)
def test_normals_turn_at_random(flip, in_training, in_evaluation):
    torch.manual_seed(0)
    net, points = RepSurf(**TINY, flip=flip).eval(), torch.rand(1, 30, 3).expand(8, -1, -1)
    for training, expected in ((True, in_training), (False, in_evaluation)):
        net.surface.training = training
        kinds = {tuple(row) for row in net(points).global_feat.mul(1e4).round().tolist()}
        assert len(kinds) == (2 if expected else 1)


@pytest.mark.parametrize(
    ('variant', 'file'), [('1x', 'repsurf_ssg_umb'), ('2x', 'repsurf_ssg_umb_2x')]
)
def test_shapes_are_the_authors(variant, file):
    """Every tensor of hancyran/RepSurf has its place, but for the head."""
    with torch.device('meta'):
        state = RepSurf(variant=variant).state_dict()
    rows = [
        line.split()
        for line in (KEYS / f'{file}.txt').read_text().splitlines()
        if line.startswith('s')
    ]
    theirs = [
        (key.split('.')[-1], tuple(map(int, shape.removesuffix('x1x1').split('x'))))
        for key, shape in rows
        if shape != 'scalar'
    ]
    assert Counter(
        (key.split('.')[-1], tuple(v.shape)) for key, v in state.items() if v.dim()
    ) == Counter(theirs)


def test_published_geometry():
    with torch.device('meta'):
        nets = [RepSurf(variant=variant) for variant in ('1x', '2x')]
    geometry = [
        [(s.num_points, s.radius, s.num_neighbors) for s in net.set_abstractions] for net in nets
    ]
    assert geometry == [
        [(512, 0.2, 32), (128, 0.4, 64)],
        [(512, 0.1, 24), (128, 0.2, 24), (32, 0.4, 24)],
    ]
    assert [(net.out_channels, net.surface.num_triangles, net.surface.flip) for net in nets] == [
        (1024, 8, 'training'),
        (2048, 8, 'training'),
    ]


def test_balls_are_open():
    stage = RepSurf(**{**TINY, 'radii': (0.5, 1)}).eval().set_abstractions[0]
    coords = torch.tensor([[[0.0, 0, 0], [0.5, 0, 0]]])
    features = torch.zeros(1, 2, 10)
    alone = stage(coords[:, :1], features[:, :1])[2]
    torch.testing.assert_close(stage(coords, features)[2][:, :1], alone)
    assert not torch.equal(stage(coords * 0.99, features)[2][:, :1], alone)


def test_random_start_is_for_training():
    net, points = RepSurf(**TINY, fps_start='random'), torch.rand(2, 30, 3)
    assert not torch.equal(net(points).coords, net(points).coords)
    assert torch.equal(net.eval()(points).coords, net(points).coords)


def test_wrong_arguments():
    for wrong in (dict(variant='3x'), dict(flip='test'), dict(fps_start=1)):
        with pytest.raises(ValueError, match=f'{next(iter(wrong))} is'):
            RepSurf(**wrong)
    with pytest.raises(ValueError, match='2 num_points, 1 radii'):
        RepSurf(**{**TINY, 'radii': (0.4,)})
