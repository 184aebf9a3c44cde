"""Where cameras stand around an object, and their matrices."""

import numpy as np

from pcdet_kd.ops.project_points import AXES
from pcdet_kd.utils.arguments import check_choice


def _dodecahedron() -> np.ndarray:
    """The 20 vertices in the order of RotationNet's second camera set, as its MATLAB script places
    the cameras.

    It passes azimuth and elevation of a vertex (x, y, z) to ``view``, which measures azimuths from
    -y: the camera stands at (y, -x, z).
    """
    phi = (1 + 5**0.5) / 2
    signs = [(a, b) for a in (1, -1) for b in (1, -1)]
    vertices = [
        *((a, b, c) for a in (1, -1) for b, c in signs),
        *((0, a / phi, b * phi) for a, b in signs),
        *((a * phi, 0, b / phi) for a, b in signs),
        *((b / phi, a * phi, 0) for a, b in signs),
    ]
    x, y, z = np.array(vertices, dtype=np.float64).T / 3**0.5
    return np.stack([y, -x, z], axis=1)


def _circle() -> np.ndarray:
    """12 cameras, 30 degrees apart and 30 degrees above the horizon, as in MVCNN."""
    azimuth, elevation = np.arange(12) * (np.pi / 6), np.pi / 6
    return np.stack(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.full(12, np.sin(elevation)),
        ],
        axis=1,
    )


def _orthogonal() -> np.ndarray:
    """6 cameras on the axes, in the order of :func:`~pcdet_kd.ops.project_points.project_points`:
    sides, above, below.
    """
    return np.array(
        [[-1, 0, 0], [0, -1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], dtype=np.float64
    )


RIGS = {'dodecahedron': _dodecahedron, 'circle': _circle, 'orthogonal': _orthogonal}


def camera_directions(rig: str, up_axis: str = 'z') -> np.ndarray:
    """Return the unit vectors (V, 3) from the object to the cameras.

    Args:
        rig: ``'dodecahedron'``: 20 cameras around the object (RotationNet, and PointCMT's images).
            ``'circle'``: 12 cameras around the upright axis, 30 degrees above the horizon (MVCNN).
            ``'orthogonal'``: 6 cameras on the axes: four around the upright one, then from above
            and from below.
        up_axis: Which axis of the object is upright; the others follow cyclically.

    Raises:
        ValueError: An unknown rig or axis.
    """
    check_choice('rig', rig, tuple(RIGS))
    check_choice('up_axis', up_axis, AXES)
    return np.roll(RIGS[rig](), AXES.index(up_axis) - AXES.index('z'), axis=1)


def look_at_origin(directions: np.ndarray, distance: float, up_axis: str = 'z') -> np.ndarray:
    """Return matrices of cameras that look at the origin, with the upright axis up in the image.

    Args:
        directions: (V, 3) unit vectors from the origin to the cameras. One straight above or below
            has the next axis up.
        distance: From the cameras to the origin.
        up_axis: Which axis is upright.

    Returns:
        (V, 3, 4), as :func:`~pcdet_kd.ops.rasterize_mesh.rasterize_mesh` takes them.
    """
    upright = AXES.index(up_axis)
    up = np.zeros_like(directions)
    up[:, upright] = 1
    steep = np.abs(directions[:, upright]) > 0.999
    up[steep] = np.roll(up[steep], 1, axis=1)
    right = np.cross(up, directions)  # the view goes along -direction
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    down = np.cross(right, directions)
    rotation = np.stack([right, down, -directions], axis=1)
    offset = np.zeros((len(directions), 3, 1))
    offset[:, 2] = distance
    return np.concatenate([rotation, offset], axis=2)
