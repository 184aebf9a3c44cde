"""Each corruption of ModelNet40-C against its recipe (Sun et al., arXiv 2201.12296, and the
released generator).
"""

import numpy as np
import pytest

from pcdet_kd.corruptions import deformation, modelnet40c

SEVERITIES = (1, 2, 3, 4, 5)


def rng(seed=0):
    return np.random.default_rng(seed)


def islands(count, size):
    """``count`` far-apart places with ``size`` points each; the place of a point is its x,
    rounded.
    """
    points = rng(9).normal(size=(count, size, 3)) * 1e-3
    points[:, :, 0] += np.arange(count)[:, None]
    points[:, :, 1] += np.arange(count)[:, None] ** 2
    return points.reshape(-1, 3).astype(np.float32)


def per_island(points, count):
    return np.bincount(np.rint(points[:, 0]).astype(int), minlength=count)


def linear_map(function, cloud, severity, seed):
    """The matrix of a linear corruption, before normalisation."""
    out = function(cloud, severity, rng(seed), finish=False)
    return np.linalg.lstsq(cloud.astype(float), out.astype(float), rcond=None)[0]


@pytest.mark.parametrize(
    'name',
    [
        'uniform',
        'impulse',
        'upsampling',
        'background',
        'rotation',
        'shear',
        'distortion',
        'distortion_rbf',
        'distortion_rbf_inv',
        'scale',
    ],
)
def test_normalised_to_the_box(name, shapes):
    for i, cloud in enumerate(shapes):
        out = getattr(modelnet40c, name)(cloud, 1 + i % 5, rng(i))
        low, high = out.min(0), out.max(0)
        np.testing.assert_allclose(low + high, 0, atol=1e-6)
        assert (high - low).max() == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize('name', ['density_inc', 'density', 'cutout'])
def test_density_keeps_the_points_where_they_are(name, shapes):
    known = {p.tobytes() for p in shapes[0]}
    for severity in SEVERITIES:
        assert {
            p.tobytes() for p in getattr(modelnet40c, name)(shapes[0], severity, rng())
        } <= known


@pytest.mark.parametrize('severity, c', list(zip(SEVERITIES, (0.01, 0.02, 0.03, 0.04, 0.05))))
def test_uniform(severity, c, shapes):
    noise = np.stack(
        [modelnet40c.uniform(s, severity, rng(i), finish=False) - s for i, s in enumerate(shapes)]
    )
    assert np.abs(noise).max() <= c + 1e-6 and np.abs(noise).max() > 0.99 * c
    assert noise.std() == pytest.approx(c / np.sqrt(3), rel=0.02) and abs(noise.mean()) < 0.02 * c


@pytest.mark.parametrize('severity, c', list(zip(SEVERITIES, (0.01, 0.015, 0.02, 0.025, 0.03))))
def test_gaussian(severity, c, shapes):
    noise = np.stack([modelnet40c.gaussian(s, severity, rng(i)) - s for i, s in enumerate(shapes)])
    assert noise.std() == pytest.approx(c, rel=0.02) and abs(noise.mean()) < 0.02 * c
    assert 3.3 < np.abs(noise).max() / c < 6
    corners = np.ones((100, 3), np.float32)
    clipped = modelnet40c.gaussian(corners, severity, rng())
    assert clipped.max() == 1 and (clipped == 1).mean() == pytest.approx(0.5, abs=0.1)
    assert modelnet40c.gaussian(corners, severity, rng(), finish=False).max() > 1


@pytest.mark.parametrize('severity, count', list(zip(SEVERITIES, (34, 40, 51, 68, 102))))
def test_impulse(severity, count, shapes):
    moves = []
    for i, cloud in enumerate(shapes):
        move = modelnet40c.impulse(cloud, severity, rng(i), finish=False) - cloud
        moves.append(move[np.abs(move).max(1) > 1e-3])
        assert len(moves[-1]) == count
    moves = np.concatenate(moves)
    np.testing.assert_allclose(np.abs(moves), 0.1, atol=1e-6)
    assert len(np.unique(np.sign(moves), axis=0)) == 8
    assert (
        modelnet40c.impulse(shapes[0], severity, rng(), finish=False, count=17) != shapes[0]
    ).any(1).sum() == 17


@pytest.mark.parametrize('severity, count', list(zip(SEVERITIES, (204, 256, 341, 512, 1024))))
def test_upsampling(severity, count):
    cloud = islands(1024, 1) * (1, 0, 1)
    out = modelnet40c.upsampling(cloud, severity, rng(), finish=False)
    np.testing.assert_array_equal(out[:1024], cloud.astype(np.float32))
    added = out[1024:].astype(float)
    origin = np.rint(added[:, 0]).astype(int)
    assert len(added) == count == len(set(origin))
    move = added - cloud[origin]
    assert 0.045 < np.abs(move).max() < 0.0501 and move.std() == pytest.approx(
        0.05 / np.sqrt(3), rel=0.06
    )


@pytest.mark.parametrize('severity, count', list(zip(SEVERITIES, (22, 25, 29, 34, 51))))
def test_background(severity, count, shapes):
    added = []
    for i, cloud in enumerate(shapes):
        out = modelnet40c.background(cloud, severity, rng(i), finish=False)
        np.testing.assert_array_equal(out[:1024], cloud)
        added.append(out[1024:])
        assert len(added[-1]) == count
    added = np.concatenate(added)
    assert np.abs(added).max() <= 1 and np.linalg.norm(added, axis=1).max() > 1
    assert added.std() == pytest.approx(1 / np.sqrt(3), rel=0.07) and abs(added.mean()) < 0.1


@pytest.mark.parametrize('severity, c', list(zip(SEVERITIES, (2.5, 5, 7.5, 10, 15))))
def test_rotation(severity, c, shapes):
    angles = []
    for seed in range(60):
        r = linear_map(modelnet40c.rotation, shapes[0], severity, seed)
        np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(r) == pytest.approx(1, abs=1e-5)
        angles.append(
            (np.arctan2(-r[1, 2], r[2, 2]), np.arcsin(r[0, 2]), np.arctan2(-r[0, 1], r[0, 0]))
        )  # Rx Ry Rz
    angles = np.degrees(angles)
    size = np.abs(angles)
    assert size.min() >= c - 2.5 - 1e-3 and size.max() <= c + 2.5 + 1e-3
    assert size.mean() == pytest.approx(c, abs=0.4) and size.std() == pytest.approx(
        5 / np.sqrt(12), rel=0.2
    )
    assert ((angles > 0).mean(0) > 0.25).all() and ((angles < 0).mean(0) > 0.25).all()


@pytest.mark.parametrize('severity, c', list(zip(SEVERITIES, (0.05, 0.1, 0.15, 0.2, 0.25))))
def test_shear(severity, c, shapes):
    maps = np.stack(
        [linear_map(modelnet40c.shear, shapes[0], severity, seed) for seed in range(60)]
    )
    free = np.zeros((3, 3), bool)
    free[0, 2] = free[1, 0] = free[1, 2] = free[2, 0] = True
    np.testing.assert_allclose(
        maps[:, ~free], np.broadcast_to(np.eye(3)[~free], (60, 5)), atol=1e-5
    )
    size = np.abs(maps[:, free])
    assert (
        size.min() >= c - 0.05 - 1e-5
        and size.max() <= c + 0.05 + 1e-5
        and size.mean() == pytest.approx(c, abs=0.01)
    )
    assert ((maps[:, free] > 0).mean(0) > 0.25).all() and ((maps[:, free] < 0).mean(0) > 0.25).all()


@pytest.mark.parametrize('severity, c', list(zip(SEVERITIES, (0.1, 0.2, 0.3, 0.4, 0.5))))
def test_distortion(severity, c, monkeypatch, shapes):
    given = []
    monkeypatch.setattr(
        modelnet40c, 'free_form', lambda p, d: given.append(d) or deformation.free_form(p, d)
    )
    out = modelnet40c.distortion(shapes[0], severity, rng(), finish=False)
    assert given[0].shape == (5, 5, 5, 3) and 0.97 * c < np.abs(given[0]).max() <= c
    assert given[0].std() == pytest.approx(c / np.sqrt(3), rel=0.1)
    np.testing.assert_allclose(out, deformation.free_form(shapes[0], given[0]), atol=1e-6)


@pytest.mark.parametrize('severity, r', list(zip(SEVERITIES, (0.025, 0.05, 0.075, 0.1, 0.125))))
@pytest.mark.parametrize(
    'name, kernel', [('distortion_rbf', 'multi_quadratic'), ('distortion_rbf_inv', 'inverse')]
)
def test_distortion_rbf(severity, r, name, kernel, monkeypatch, shapes):
    given = []
    monkeypatch.setattr(
        modelnet40c,
        'radial_basis',
        lambda *args: given.append(args) or deformation.radial_basis(*args),
    )
    out = getattr(modelnet40c, name)(shapes[0], severity, rng(), finish=False)
    _, moves, used = given[0]
    assert used == kernel and moves.shape == (125, 3)
    np.testing.assert_allclose(np.linalg.norm(moves, axis=1), r, rtol=1e-12)
    cosine = (
        moves[:, 2] / r
    )  # cos g of an even g: its square is 1/2 on average, and not 1/3 as on a sphere
    assert (cosine**2).mean() == pytest.approx(0.5, abs=0.1) and np.abs(
        moves.mean(0)
    ).max() < 0.2 * r
    np.testing.assert_allclose(
        out, deformation.radial_basis(shapes[0].astype(float), moves, kernel), atol=1e-6
    )


@pytest.mark.parametrize('severity, holes', list(zip(SEVERITIES, (2, 3, 5, 7, 10))))
def test_cutout(severity, holes):
    left = per_island(modelnet40c.cutout(islands(34, 30), severity, rng()), 34)
    assert sorted(set(left)) == [0, 30] and (left == 0).sum() == holes


def test_density():
    left = per_island(modelnet40c.density(islands(10, 100), 1, rng()), 10)
    assert sorted(left) == [25] + [100] * 9
    kept = [modelnet40c.density(islands(10, 100), 1, rng(s)) for s in range(30)]
    assert len({np.argmin(per_island(k, 10)) for k in kept}) > 5
    assert len(modelnet40c.density(islands(1, 400), 5, rng())) == 25
    with pytest.raises(ValueError, match='399 points, expected at least 400'):
        modelnet40c.density(islands(1, 399), 5, rng())


@pytest.mark.parametrize('severity', SEVERITIES)
def test_density_inc(severity):
    out = modelnet40c.density_inc(islands(20, 100), severity, rng())
    dense, rest = out[: 100 * severity], out[100 * severity :]
    left = per_island(dense, 20)
    assert len(out) == 1024 and sorted(left) == [0] * (20 - severity) + [100] * severity
    assert len(np.unique(dense, axis=0)) == 100 * severity
    assert (per_island(rest, 20)[left > 0] == 0).all() and (
        per_island(rest, 20)[left == 0] > 5
    ).all()
    assert len(np.unique(rest, axis=0)) < len(rest)  # with replacement
    assert len(modelnet40c.density_inc(islands(20, 100), severity, rng(), num_points=700)) == 700
    with pytest.raises(ValueError, match=f'num_points is 50, expected at least {100 * severity}'):
        modelnet40c.density_inc(islands(20, 100), severity, rng(), num_points=50)


@pytest.mark.parametrize('severity, c', list(zip(SEVERITIES, (0.1, 0.2, 0.3, 0.4, 0.5))))
def test_scale(severity, c, shapes):
    factors = np.stack(
        [np.diag(linear_map(modelnet40c.scale, shapes[0], severity, seed)) for seed in range(60)]
    )
    assert (
        1 - c - 1e-5 <= factors.min() < 1 - 0.9 * c and 1 + 0.9 * c < factors.max() <= 1 + c + 1e-5
    )
    assert factors.mean() == pytest.approx(1, abs=0.15 * c)
    assert np.abs(np.corrcoef(factors.T) - np.eye(3)).max() < 0.5  # each axis has its own
