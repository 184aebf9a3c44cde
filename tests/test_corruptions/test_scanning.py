import numpy as np
import pytest

from pcdet_kd.corruptions import geometry, scanning


def rng(seed=0):
    return np.random.default_rng(seed)


def ball(rings=40, sectors=80):
    """A sphere of radius 1 as vertices and faces."""
    v, u = np.meshgrid(
        np.linspace(0, np.pi, rings),
        np.linspace(0, 2 * np.pi, sectors, endpoint=False),
        indexing='ij',
    )
    vertices = np.stack([np.sin(v) * np.cos(u), np.sin(v) * np.sin(u), np.cos(v)], -1).reshape(
        -1, 3
    )
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(sectors), indexing='ij')
    a, b = i * sectors + j, i * sectors + (j + 1) % sectors
    return vertices, np.concatenate(
        [np.stack([a, a + sectors, b], -1), np.stack([b, a + sectors, b + sectors], -1)]
    ).reshape(-1, 3)


def box():
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])


@pytest.fixture(scope='module')
def sphere():
    return ball()


@pytest.mark.parametrize('severity', [1, 2, 3, 4, 5])
def test_where_the_camera_stands(severity, sphere):
    for seed in range(3):
        tilt = np.radians(120 + 10 * seed)
        points, sensor = scanning._scan(*sphere, severity, tilt, 3.0, rng(seed))
        assert np.linalg.norm(sensor) == pytest.approx(3)
        assert np.degrees(np.arcsin(sensor[2] / 3)) == pytest.approx(
            np.degrees(tilt) - 90
        )  # above the shape
        # the forward axis is Rz Rx e_z = (sin a sin t, -cos a sin t, cos t); the camera is behind
        around = np.degrees(np.arctan2(-sensor[0], sensor[1])) % 360
        away = (around - 72 * severity + 180) % 360 - 180
        assert abs(away) <= 36 + 1e-6
        np.testing.assert_allclose(
            np.linalg.norm(points, axis=1), 1, atol=6e-3
        )  # on the facets of the sphere
        assert (points @ sensor).min() == pytest.approx(
            1, abs=0.12
        )  # where the line of sight touches the sphere
        middle = points.mean(0)
        assert middle @ sensor / np.linalg.norm(middle) / 3 > 0.999


def test_camera_has_the_authors_field_of_view(sphere):
    """A sphere of radius 1 at distance 3 has a picture of radius 365 tan(asin(1/3)) = 129
    pixels.
    """
    points, _ = scanning._scan(*sphere, 1, 2.2, 3.0, rng())
    assert len(points) == pytest.approx(np.pi * (365 * np.tan(np.arcsin(1 / 3))) ** 2, rel=0.01)


def test_occlusion(sphere):
    out = scanning.occlusion(*sphere, 2, rng())
    assert out.shape == (1024, 3) and out.dtype == np.float32
    np.testing.assert_allclose(out.max(0) + out.min(0), 0, atol=1e-6)
    assert (out.max(0) - out.min(0)).max() == pytest.approx(2, abs=1e-6)
    assert len(np.unique(out, axis=0)) == 1024
    box = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (0, 2)], float)
    top = np.array(
        [[1, 5, 7], [1, 7, 3]]
    )  # z = 2 alone: seen from above, it lies on one height, y-up
    flat = scanning.occlusion(box, top, 1, rng())
    assert np.ptp(flat[:, 1]) < 1e-4 and np.ptp(flat[:, 0]) > 1.9 and np.ptp(flat[:, 2]) > 1.9
    np.testing.assert_array_equal(scanning.occlusion(*sphere, 2, rng()), out)
    assert not np.array_equal(scanning.occlusion(*sphere, 2, rng(1)), out)


def test_five_views_see_different_sides():
    """A box open to one side: what is seen of the inside depends on the view."""
    vertices, faces = box()
    seen = [
        len(scanning._scan(vertices, np.concatenate([faces[:2], faces[4:]]), s, 2.2, 3.0, rng())[0])
        for s in range(1, 6)
    ]
    assert len(set(seen)) == 5


def test_few_visible_points_repeat():
    vertices = np.array([[1.0, 0, 0], [1, 0.004, 0], [0, 0, 0], [-1, 0, -0.03]])
    out = scanning.occlusion(vertices, np.array([[0, 1, 2], [1, 2, 3]]), 1, rng())
    assert out.shape == (1024, 3) and 1 < len(np.unique(out, axis=0)) < 1024
    with pytest.raises(ValueError, match='the camera sees nothing'):
        scanning.occlusion(vertices, np.array([[0, 0, 0]]), 1, rng())


def test_lidar(sphere):
    out = scanning.lidar(*sphere, 3, rng())
    assert out.shape == (768, 3) and out.dtype == np.float32
    points, sensor = scanning._scan(*sphere, 3, 5 * np.pi / 8, 5.0, rng())
    back = geometry.turned(out, 'y', 'z').astype(float) - sensor
    distance = np.linalg.norm(back, axis=1)
    elevation = np.degrees(np.arcsin(back[:, 2] / distance))
    np.testing.assert_allclose(elevation % 1, 0.5, atol=1e-3)
    assert sensor[2] == pytest.approx(5 * np.sin(np.radians(22.5)))
    # the sphere fills 2 asin(1/5) = 23 degrees around -22.5
    assert len(set(np.floor(elevation))) == pytest.approx(23, abs=1.1)
    assert (
        elevation.mean() == pytest.approx(-22.5, abs=1)
        and 3.9 < distance.min() < distance.max() < 5
    )
    assert len(np.unique(out, axis=0)) < 768  # with replacement
    assert len(points) > 3000


def test_scan_lines():
    degrees = np.array([10.2, 10.25, 10.5, 10.75, 10.8, -3.4, -3.1])
    radians = np.radians(degrees)
    points = 4 * np.stack([np.cos(radians) * 0.6, np.cos(radians) * 0.8, np.sin(radians)], 1)
    lines = scanning.scan_lines(points)
    assert len(lines) == 4  # 10.25, 10.5, 10.75 and -3.4
    expected = np.radians([10.5, 10.5, 10.5, -3.5])
    np.testing.assert_allclose(
        lines,
        4 * np.stack([np.cos(expected) * 0.6, np.cos(expected) * 0.8, np.sin(expected)], 1),
        atol=1e-12,
    )


@pytest.mark.parametrize('function', [scanning.occlusion, scanning.lidar])
def test_refusals(function, sphere):
    with pytest.raises(ValueError, match='severity is 0, expected 1 to 5'):
        function(*sphere, 0, rng())
    with pytest.raises(ValueError, match='outside the'):
        function(sphere[0], np.array([[0, 1, 99999]]), 1, rng())
    assert len(function(*sphere, 1, rng(), 50)) == 50
