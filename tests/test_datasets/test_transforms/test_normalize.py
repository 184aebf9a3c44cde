import numpy as np
import pytest

from pcdet_kd.datasets.transforms import CenterPoints, UnitBox, UnitSphere

POINTS = (np.random.default_rng(0).gamma(2, size=(50, 3)) * [1, 2, 3] + [5, -4, 100]).astype(
    np.float32
)


def apply(transform, points=POINTS):
    return transform(dict(points=points))['points'].astype(np.float64)


def test_center():
    np.testing.assert_allclose(apply(CenterPoints()).mean(0), 0, atol=1e-5)
    moved = apply(CenterPoints('bbox'))
    np.testing.assert_allclose(moved.min(0), -moved.max(0), atol=1e-5)
    np.testing.assert_allclose(moved[1] - moved[0], POINTS[1] - POINTS[0], atol=1e-4)


def test_unit_sphere():
    out = apply(UnitSphere())
    np.testing.assert_allclose(out.mean(0), 0, atol=1e-6)
    assert np.linalg.norm(out, axis=1).max() == pytest.approx(1)
    centered = POINTS.astype(np.float64) - POINTS.mean(0, dtype=np.float64)
    np.testing.assert_allclose(out, centered / np.linalg.norm(centered, axis=1).max(), atol=1e-6)
    box = apply(UnitSphere('bbox'))
    np.testing.assert_allclose(box.min(0), -box.max(0), atol=1e-6)
    stays = apply(UnitSphere(None))
    np.testing.assert_allclose(
        stays, POINTS / np.linalg.norm(POINTS.astype(np.float64), axis=1).max(), atol=1e-6
    )


def test_unit_box():
    for side in (1.0, 2.0):
        out = apply(UnitBox(side))
        np.testing.assert_allclose(out.min(0), -out.max(0), atol=1e-6)
        assert np.ptp(out, axis=0).max() == pytest.approx(side)
        sides = np.ptp(POINTS, axis=0)
        np.testing.assert_allclose(np.ptp(out, axis=0) / sides, side / sides.max(), rtol=1e-5)


@pytest.mark.parametrize(
    'transform', [UnitSphere(), UnitSphere('bbox'), UnitBox()], ids=['mean', 'bbox', 'box']
)
def test_clouds_without_extent_are_only_centred(transform):
    np.testing.assert_array_equal(apply(transform, np.full((4, 3), 7, np.float32)), 0)


def test_wrong_arguments():
    for call in (lambda: CenterPoints('median'), lambda: UnitSphere('median'), lambda: UnitBox(0)):
        with pytest.raises(ValueError, match='must be'):
            call()
