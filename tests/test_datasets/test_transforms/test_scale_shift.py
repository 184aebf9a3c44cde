import numpy as np
import pytest

from pcdet_kd.datasets.transforms import RandomScale, RandomShift

POINTS = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)


def test_scale_range_and_axes():
    factors = np.array(
        [(RandomScale()(dict(points=POINTS))['points'] / POINTS)[:5].mean(0) for _ in range(500)]
    )
    assert factors.min() >= 2 / 3 - 1e-5 and factors.max() <= 1.5 + 1e-5
    assert factors.min() < 0.69 and factors.max() > 1.48 and abs(factors.mean() - 13 / 12) < 0.03
    assert np.ptp(factors, axis=1).min() > 0 and abs(np.corrcoef(factors.T)[0, 1]) < 0.15
    same = RandomScale(0.8, 1.25, per_axis=False)(dict(points=POINTS))['points'] / POINTS
    np.testing.assert_allclose(same, same[0, 0], rtol=1e-5)


def test_normals_stay_normal_to_the_surface():
    # the plane a x + b y + c z = 0 keeps its tangents perpendicular to its normal
    normal = np.array([1.0, 2.0, -0.5])
    tangents = np.stack([np.cross(normal, [1, 0, 0]), np.cross(normal, [0, 1, 0])])
    out = RandomScale()(
        dict(
            points=tangents.astype(np.float32),
            normals=np.tile(normal / np.linalg.norm(normal), (2, 1)).astype(np.float32),
        )
    )
    np.testing.assert_allclose(out['points'] @ out['normals'][0], 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(out['normals'], axis=1), 1, rtol=1e-6)
    assert not np.allclose(out['normals'][0], normal / np.linalg.norm(normal), atol=1e-3)


def test_zero_normals_stay_zero():
    out = RandomScale()(dict(points=POINTS[:2], normals=np.zeros((2, 3), np.float32)))
    np.testing.assert_array_equal(out['normals'], 0)


def test_shift_range_and_axes():
    shifts = np.array(
        [(RandomShift()(dict(points=POINTS))['points'] - POINTS)[0] for _ in range(500)]
    )
    assert np.abs(shifts).max() <= 0.2 + 1e-6 and shifts.min() < -0.19 and shifts.max() > 0.19
    assert abs(np.corrcoef(shifts.T)[0, 1]) < 0.15
    moved = RandomShift(3)(dict(points=POINTS))['points'] - POINTS
    np.testing.assert_allclose(moved, np.tile(moved[0], (200, 1)), atol=1e-5)


def test_wrong_arguments():
    for call in (lambda: RandomScale(0, 1), lambda: RandomScale(2, 1), lambda: RandomShift(-1)):
        with pytest.raises(ValueError, match='must'):
            call()
