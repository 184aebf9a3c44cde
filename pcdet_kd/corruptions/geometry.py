"""What several corruptions share: normalisations, rotation matrices, neighbours, checks of
arguments.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar('T')


def as_cloud(points: np.ndarray, at_least: int = 1) -> np.ndarray:
    """Return the points (N, 3) as a new float64 array.

    Raises:
        ValueError: Another shape, or fewer points than the corruption needs.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f'points have shape {points.shape}, expected (N, 3)')
    if len(points) < at_least:
        raise ValueError(
            f'{len(points)} points, expected at least {at_least} for this corruption at this '
            'severity'
        )
    return points.astype(np.float64)


def by_severity(values: Sequence[T], severity: int, first: int) -> T:
    """Return the value of a severity; ``first`` is the number of the mildest one.

    Raises:
        ValueError: No such severity.
    """
    if severity not in range(first, first + len(values)):
        raise ValueError(f'severity is {severity!r}, expected {first} to {first + len(values) - 1}')
    return values[severity - first]


def to_unit_box(points: np.ndarray) -> np.ndarray:
    """Move and scale a cloud so that its axis-aligned box is centred and its longest side reaches
    from -1 to 1.

    Raises:
        ValueError: All points are the same.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    extent = (high - low).max()
    if not extent > 0:
        raise ValueError('all points are the same (or not finite): cannot scale them to a box')
    return (points - (low + high) / 2) * (2 / extent)


def radius_of(points: np.ndarray) -> np.ndarray:
    """Return the largest distance from the origin, (...), of the points of clouds (..., N, 3)."""
    return np.sqrt((points**2).sum(axis=-1).max(axis=-1))


def to_unit_sphere(points: np.ndarray) -> np.ndarray:
    """Subtract the mean and divide by the largest distance from it.

    Raises:
        ValueError: All points are the same.
    """
    centred = points - points.mean(axis=0)
    radius = radius_of(centred)
    if not radius > 0:
        raise ValueError('all points are the same (or not finite): cannot scale them to a sphere')
    return centred / radius


def rotation_matrices(x: float, y: float, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rotations (3, 3) about each axis by angles in radians: ``R @ column`` turns
    counterclockwise.
    """
    (cx, cy, cz), (sx, sy, sz) = np.cos((x, y, z)), np.sin((x, y, z))
    return (
        np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]),
        np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]),
        np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]),
    )


def nearest_first(points: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Return the indices of all points, nearest to ``center`` first; the lowest index first among
    equals.
    """
    offset = points - center
    return np.argsort(np.einsum('ij,ij->i', offset, offset), kind='stable')


def turned(points: np.ndarray, up_axis: str, to: str) -> np.ndarray:
    """Turn points (N, 3) so that another axis is upright.

    Between y and z it is (x, y, z) -> (-x, z, y), as ModelNet40-C's authors turn ModelNet's meshes
    to the clouds. Turning there and back changes nothing.
    """
    if up_axis == to:
        return points
    y_up = (
        _exchanged(points)
        if up_axis == 'z'
        else np.roll(points, 1, axis=1)
        if up_axis == 'x'
        else points
    )
    return _exchanged(y_up) if to == 'z' else np.roll(y_up, -1, axis=1) if to == 'x' else y_up


def _exchanged(points: np.ndarray) -> np.ndarray:
    return np.stack([-points[:, 0], points[:, 2], points[:, 1]], axis=1)
