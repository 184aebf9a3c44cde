"""PointWOLF against its formula, evaluated point by point in float64."""

import numpy as np
import pytest
import torch

from pcdet_kd.datasets.transforms import PointWOLF
from pcdet_kd.datasets.transforms.point_wolf import _follow

CLOUD = np.random.default_rng(0).normal(0, 0.4, (60, 3))


def draws(seed, n, m):
    """The random numbers of one call, in the order in which they are drawn."""
    rng = np.random.RandomState(seed)
    out = dict(
        start=int(rng.uniform(0, 1, 1)[0] * n),
        used=rng.uniform(0, 1, (m, 3)),
        axes=1 + rng.uniform(0, 7, m).astype(int),
        angles=rng.uniform(-10, 10, (m, 3)),
        scales=rng.uniform(1, 3, (m, 3)),
        shifts=rng.uniform(-0.25, 0.25, (m, 3)),
    )
    return {**out, 'kept': 1 + rng.uniform(0, 7, 1).astype(int)}


def uniform(rng):
    return lambda low, high, *shape: torch.from_numpy(rng.uniform(low, high, (1, *shape)))


def bits(number):
    return np.array([number >> i & 1 for i in range(3)], dtype=bool)


def turn(axis, degrees):
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def farthest(points, start, m):
    chosen = [start]
    while len(chosen) < m:
        distance = np.min([np.linalg.norm(points - points[c], axis=1) for c in chosen], axis=0)
        chosen.append(int(distance.argmax()))
    return points[chosen]


def reference(points, seed, m=4, sigma=0.5, dropout=0.5):
    m = min(m, len(points))
    d = draws(seed, len(points), m)
    anchors = farthest(points, d['start'], m)
    kept, moved = bits(d['kept'][0]), []
    for p in points:
        total, norm = np.zeros(3), 0.0
        for j, anchor in enumerate(anchors):
            turned, stretched, shifted = d['used'][j] >= dropout
            axes = bits(d['axes'][j])
            x, y, z = d['angles'][j] * turned
            rotation = turn(2, z) @ turn(1, y) @ turn(0, x)
            scale = np.diag(np.where(axes & stretched, d['scales'][j], 1))
            local = scale @ rotation @ (p - anchor) + d['shifts'][j] * (axes & shifted) + anchor
            weight = np.exp(-0.5 * np.sum((p - anchor)[kept] ** 2) / sigma**2)
            total, norm = total + weight * local, norm + weight
        moved.append(total / norm)
    moved = np.array(moved) - np.mean(moved, axis=0)
    return moved / np.linalg.norm(moved, axis=1).max()


@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('n, m', [(60, 4), (5, 1), (2, 4)])
def test_formula(seed, n, m):
    np.random.seed(seed)
    out = PointWOLF(num_anchors=m)(dict(points=CLOUD[:n].astype(np.float32)))['points']
    assert out.dtype == np.float32
    np.testing.assert_allclose(
        out, reference(CLOUD[:n].astype(np.float32).astype(float), seed, m), atol=3e-6
    )


def test_left_out_entirely_it_only_normalises():
    np.random.seed(0)
    out = PointWOLF(dropout=1.0)(dict(points=CLOUD.astype(np.float32)))['points']
    centred = CLOUD - CLOUD.mean(0)
    np.testing.assert_allclose(out, centred / np.linalg.norm(centred, axis=1).max(), atol=1e-6)


def test_it_fits_the_unit_sphere_and_differs_each_time():
    outs = [
        PointWOLF()(dict(points=CLOUD.astype(np.float32)))['points'].astype(float)
        for _ in range(20)
    ]
    for out in outs:
        assert np.linalg.norm(out, axis=1).max() == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(out.mean(0), 0, atol=1e-6)
    assert len({out.tobytes() for out in outs}) == 20


def test_each_part_is_left_out_half_of_the_time_and_axes_are_drawn():
    matrices, shifts = PointWOLF()._local(uniform(np.random.RandomState(0)), 4000)
    matrices, shifts = matrices[0].numpy(), shifts[0].numpy()
    scales = np.linalg.norm(matrices, axis=2)  # of S R: the rows' lengths
    stretched, shifted = (scales > 1 + 1e-9), shifts != 0
    turned = np.abs(matrices / scales[..., None] - np.eye(3)).max((1, 2)) > 1e-9
    for share in (stretched.any(1).mean(), shifted.any(1).mean(), turned.mean()):
        assert share == pytest.approx(0.5, abs=0.03)
    both = stretched.any(1) & shifted.any(1)
    assert (stretched[both] == shifted[both]).all()  # the same axes
    counts = np.unique(stretched[stretched.any(1)] @ [1, 2, 4], return_counts=True)[1]
    assert len(counts) == 7 and counts.min() > 0.7 * counts.max()
    assert (
        scales.max() <= 3
        and np.abs(shifts).max() <= 0.25
        and scales.max() > 2.9
        and np.abs(shifts).max() > 0.24
    )


def test_weights_that_underflow_are_no_division_by_zero():
    out = PointWOLF()(dict(points=(CLOUD * 1000).astype(np.float32)))['points']
    assert np.isfinite(out).all()


@pytest.mark.parametrize('seed', range(8))
def test_normals_are_those_of_the_deformed_surface(seed):
    """Two more points in the plane at each point: the deformed ones span the deformed plane."""
    rng, step = np.random.default_rng(seed), 1e-5
    points = rng.normal(0, 0.4, (30, 3))
    basis = np.linalg.qr(rng.normal(size=(30, 3, 3)))[0]
    basis[np.linalg.det(basis) < 0, :, 0] *= -1
    first, second, normal = basis[..., 0], basis[..., 1], basis[..., 2]
    cloud = torch.from_numpy(
        np.concatenate([points, points + step * first, points + step * second])
    )[None]
    normals = torch.from_numpy(np.tile(normal, (3, 1)))[None]
    moved, turned = PointWOLF().warp(cloud, uniform(np.random.RandomState(seed)), normals)
    p, a, b = moved[0].numpy().reshape(3, 30, 3)
    expected = np.cross(a - p, b - p)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = turned[0, :30].numpy()
    np.testing.assert_allclose(np.abs((found * expected).sum(1)), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-12)


def test_normals_keep_their_side_where_a_piece_is_mirrored_and_stay_where_it_collapses():
    z = torch.tensor([[0.0, 0.0, 1.0]] * 4)
    flat = torch.zeros(3, 3)
    shear = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 1]])
    found = _follow(
        torch.stack([torch.eye(3), torch.diag(torch.tensor([1.0, 1, -2])), flat, shear]), z
    )
    covector = torch.linalg.solve(shear.T, z[3])
    expected = torch.stack([z[0], -z[0], z[0], covector])
    torch.testing.assert_close(found, expected / expected.norm(dim=1, keepdim=True))


def test_float32_batches_are_the_samples_one_by_one():
    clouds = torch.randn(5, 40, 3, generator=torch.Generator().manual_seed(0)) * 0.4
    numbers = {}

    def fixed(rows):
        count = iter(range(100))

        def draw(low, high, *shape):
            key = next(count), low, high, shape
            numbers.setdefault(
                key, torch.from_numpy(np.random.uniform(low, high, (5, *shape))).float()
            )
            return numbers[key][rows]

        return draw

    whole, _ = PointWOLF().warp(clouds, fixed(slice(None)))
    for i in range(5):
        torch.testing.assert_close(
            PointWOLF().warp(clouds[i : i + 1], fixed(slice(i, i + 1)))[0], whole[i : i + 1]
        )


@pytest.mark.parametrize(
    'args',
    [
        dict(num_anchors=0),
        dict(degrees=-1),
        dict(max_scale=0.5),
        dict(max_shift=-1),
        dict(sigma=0),
        dict(dropout=1.5),
    ],
)
def test_bad_arguments(args):
    with pytest.raises(ValueError, match=next(iter(args))):
        PointWOLF(**args)
