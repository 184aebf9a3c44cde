"""Each corruption of ModelNet-C against its recipe (Ren et al., ICML 2022, and the released
generator).
"""

import numpy as np
import pytest

from pcdet_kd.corruptions import modelnetc

LEVELS = (0, 1, 2, 3, 4)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize('level, s', list(zip(LEVELS, (1.6, 1.7, 1.8, 1.9, 2.0))))
def test_scale(level, s, shapes):
    ratios = []
    for seed in range(300):
        out = modelnetc.scale(shapes[seed % 12], level, rng(seed))
        np.testing.assert_allclose(out.mean(0), 0, atol=1e-6)
        assert np.linalg.norm(out, axis=1).max() == pytest.approx(1, abs=1e-6)
        factor = out.std(0) / shapes[seed % 12].std(0)  # up to a common one
        ratios.append(factor.max() / factor.min())
    assert 0.8 * s**2 < max(ratios) <= s**2 + 1e-4


@pytest.mark.parametrize('level, sigma', list(zip(LEVELS, (0.01, 0.02, 0.03, 0.04, 0.05))))
def test_jitter(level, sigma, shapes):
    noise = np.stack([modelnetc.jitter(s, level, rng(i)) - s for i, s in enumerate(shapes)])
    assert noise.std() == pytest.approx(sigma, rel=0.02) and np.abs(noise).max() > 3.3 * sigma
    assert modelnetc.jitter(np.ones((50, 3), np.float32), level, rng()).max() > 1  # no clipping


@pytest.mark.parametrize('level, degrees', list(zip(LEVELS, (6, 12, 18, 24, 30))))
def test_rotate(level, degrees, shapes):
    angles = []
    for seed in range(80):
        out = modelnetc.rotate(shapes[0], level, rng(seed)).astype(float)
        r = np.linalg.lstsq(shapes[0].astype(float), out, rcond=None)[0]
        np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-5)
        angles.append(
            (np.arctan2(r[2, 1], r[2, 2]), np.arcsin(-r[2, 0]), np.arctan2(r[1, 0], r[0, 0]))
        )  # Rz Ry Rx
    angles = np.degrees(angles)
    assert 0.95 * degrees < np.abs(angles).max() <= degrees + 1e-3
    assert (
        angles.std() == pytest.approx(degrees / np.sqrt(3), rel=0.1)
        and abs(angles.mean()) < 0.1 * degrees
    )


@pytest.mark.parametrize('level, count', list(zip(LEVELS, (768, 640, 512, 384, 256))))
def test_dropout_global(level, count, shapes):
    out = modelnetc.dropout_global(shapes[0], level, rng())
    place = {p.tobytes(): i for i, p in enumerate(shapes[0])}
    index = [place[p.tobytes()] for p in out]
    assert len(set(index)) == count and index != sorted(index)
    assert np.mean(index) == pytest.approx(511.5, abs=60)


@pytest.mark.parametrize('level', LEVELS)
def test_dropout_local(level, shapes):
    place = {p.tobytes(): i for i, p in enumerate(shapes[0])}
    spread = []
    for seed in range(20):
        out = modelnetc.dropout_local(shapes[0], level, rng(seed))
        kept = np.array([place[p.tobytes()] for p in out])
        assert len(set(kept)) == len(kept) == 1024 - 100 * (level + 1) and (np.diff(kept) < 0).any()
        gone = np.delete(shapes[0], kept, axis=0)
        gap = np.linalg.norm(gone[:, None] - gone[None], axis=2)
        np.fill_diagonal(gap, np.inf)
        spread.append(gap.min(1).mean())
    full = np.linalg.norm(shapes[0][:, None] - shapes[0][None], axis=2)
    np.fill_diagonal(full, np.inf)
    assert (
        np.mean(spread) < 1.15 * full.min(1).mean()
    )  # whole neighbourhoods are gone: as dense as the cloud itself


def test_cluster_sizes():
    """1 to 7 clusters, alike; the points fall into them alike, so that their sizes vary."""
    sizes = [modelnetc._cluster_sizes(100, rng(s)) for s in range(700)]
    assert all(s.sum() == 100 for s in sizes)
    counts = np.bincount([len(s) for s in sizes], minlength=8)
    assert counts[0] == 0 and len(counts) == 8 and (counts[1:] > 60).all()
    pairs = np.array([s[0] for s in sizes if len(s) == 2])
    assert pairs.mean() == pytest.approx(50, abs=2) and pairs.std() == pytest.approx(5, rel=0.3)


@pytest.mark.parametrize('level, count', list(zip(LEVELS, (10, 20, 30, 40, 50))))
def test_add_global(level, count, shapes):
    outs = [modelnetc.add_global(shapes[0], level, rng(s)) for s in range(40)]
    assert all(np.array_equal(out[:1024], shapes[0]) and len(out) == 1024 + count for out in outs)
    added = np.concatenate([out[1024:] for out in outs])
    radius = np.linalg.norm(added, axis=1)
    assert radius.max() <= 1 and (radius**3).mean() == pytest.approx(0.5, abs=0.06)
    assert np.abs(added.mean(0)).max() < 0.1 and added.std(0) == pytest.approx(
        1 / np.sqrt(5), rel=0.12
    )


@pytest.mark.parametrize('level', LEVELS)
def test_add_local(level, shapes):
    total = 100 * (level + 1)
    corners = (
        np.array([[x, y, z] for x in (-5, 5) for y in (-5, 5) for z in (-5, 5)], np.float32) / 10
    )
    clusters, widths = [], []
    for seed in range(120):
        added = modelnetc.add_local(corners, level, rng(seed))[8:]
        assert len(added) == total
        nearest = np.linalg.norm(added[:, None] - corners[None], axis=2).argmin(1)
        clusters.append(len(set(nearest)))
        widths.append((added - corners[nearest])[nearest == nearest[0]].std())
    assert set(clusters) == set(range(1, 8))
    assert (
        np.mean(widths) == pytest.approx(0.1, abs=0.01)
        and min(widths) > 0.05
        and max(widths) < 0.15
    )
    out = modelnetc.add_local(shapes[0], level, rng())
    assert {p.tobytes() for p in out[:1024]} == {p.tobytes() for p in shapes[0]}
    assert not np.array_equal(out[:1024], shapes[0])


def test_add_local_mirrors_into_the_sphere():
    direction = rng(3).normal(size=(2000, 3))
    sphere = (direction / np.linalg.norm(direction, axis=1, keepdims=True)).astype(np.float32)
    radius = np.concatenate(
        [np.linalg.norm(modelnetc.add_local(sphere, 4, rng(s))[2000:], axis=1) for s in range(20)]
    )
    assert radius.max() <= 1 + 1e-6
    assert (
        np.abs(radius - 1) < 1e-4
    ).mean() < 0.01  # mirrored (1/r), not projected onto the sphere
    assert (radius < 0.5).mean() < 0.01 and 0.85 < radius.mean() < 0.97
