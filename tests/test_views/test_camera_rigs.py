"""Golden values: RotationNet (Kanezaki et al., CVPR 2018), the order of the vertices in its
rendering script.
"""

import numpy as np
import pytest

from pcdet_kd.ops.project_points import VIEWS
from pcdet_kd.views.camera_rigs import RIGS, camera_directions, look_at_origin


def test_numbers_of_views_and_unit_vectors():
    for rig, count in dict(dodecahedron=20, circle=12, orthogonal=6).items():
        directions = camera_directions(rig)
        assert directions.shape == (count, 3)
        np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
        assert len(np.unique(directions.round(9), axis=0)) == count


def test_dodecahedron_is_rotationnets():
    phi = (1 + 5**0.5) / 2
    vertices = {
        1: (1, 1, 1),
        2: (1, 1, -1),
        3: (1, -1, 1),
        5: (-1, 1, 1),
        8: (-1, -1, -1),
        9: (0, 1 / phi, phi),
        10: (0, 1 / phi, -phi),
        13: (phi, 0, 1 / phi),
        15: (-phi, 0, 1 / phi),
        17: (1 / phi, phi, 0),
        18: (-1 / phi, phi, 0),
        19: (1 / phi, -phi, 0),
        20: (-1 / phi, -phi, 0),
    }
    directions = camera_directions('dodecahedron')
    for number, (x, y, z) in vertices.items():
        # MATLAB's view(azimuth, elevation) measures the azimuth from -y
        azimuth, elevation = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
        camera = np.array([np.sin(azimuth), -np.cos(azimuth), np.tan(elevation)]) * np.cos(
            elevation
        )
        np.testing.assert_allclose(directions[number - 1], camera, atol=1e-12)
    angle = np.sort(directions @ directions.T, axis=1)[:, ::-1]
    np.testing.assert_allclose(angle[:, 1:4], 5**0.5 / 3)  # three neighbours each


def test_circle_is_30_degrees_up_and_apart():
    directions = camera_directions('circle')
    np.testing.assert_allclose(directions[:, 2], 0.5)
    azimuths = np.degrees(np.arctan2(directions[:, 1], directions[:, 0])) % 360
    np.testing.assert_allclose(azimuths, np.arange(12) * 30, atol=1e-9)


def test_orthogonal_views_are_those_of_the_projection():
    directions = camera_directions('orthogonal', 'y')
    for direction, (_, _, away) in zip(directions, VIEWS):
        expected = np.zeros(3)
        expected['xyz'.index(away[1])] = -1 if away[0] == '+' else 1
        np.testing.assert_array_equal(direction, expected)


@pytest.mark.parametrize('rig', RIGS)
@pytest.mark.parametrize('up_axis', 'xyz')
def test_cameras_look_at_the_origin_with_the_upright_axis_up(rig, up_axis):
    directions = camera_directions(rig, up_axis)
    cameras = look_at_origin(directions, 2.5, up_axis)
    rotation, offset = cameras[:, :, :3], cameras[:, :, 3]
    np.testing.assert_allclose(
        rotation @ rotation.transpose(0, 2, 1), np.tile(np.eye(3), (len(cameras), 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotation), 1)  # not mirrored
    np.testing.assert_allclose(
        np.einsum('vij,vj->vi', rotation, 2.5 * directions) + offset, 0, atol=1e-12
    )
    np.testing.assert_allclose(offset, np.tile([0, 0, 2.5], (len(cameras), 1)))
    up = 'xyz'.index(up_axis)
    level = np.abs(directions[:, up]) < 0.999
    np.testing.assert_allclose(rotation[level, 0, up], 0, atol=1e-12)
    assert (rotation[level, 1, up] < 0).all()
    assert (rotation[~level, 1, (up + 1) % 3] == -1).all()


def test_wrong_settings():
    with pytest.raises(ValueError, match="rig is 'cube'"):
        camera_directions('cube')
    with pytest.raises(ValueError, match="up_axis is 'w'"):
        camera_directions('circle', 'w')
