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


def centre_of(points: np.ndarray, mode: str) -> np.ndarray:
    """Return the mean (3,) of points (N, 3) or, for ``'bbox'``, the middle of their box."""
    if mode == 'mean':
        return points.mean(axis=0, dtype=np.float64)
    return (points.min(axis=0).astype(np.float64) + points.max(axis=0)) / 2


def to_unit_box(points: np.ndarray, side: float = 2.0) -> np.ndarray:
    """Centre the axis-aligned box of points (N, 3) at the origin and scale its longest side to
    ``side``.

    Points that are all the same are moved only.
    """
    longest = np.ptp(points, axis=0).max()
    moved = points - centre_of(points, 'bbox')
    return moved * (side / longest) if longest > 0 else moved


def radius_of(points: np.ndarray) -> np.ndarray:
    """Return the largest distance from the origin, (...), of the points of clouds (..., N, 3)."""
    return np.sqrt((points**2).sum(axis=-1).max(axis=-1))


def to_unit_sphere(points: np.ndarray, center: str | None = 'mean') -> np.ndarray:
    """Subtract the centre of points (N, 3), unless ``center`` is None, and divide by the largest
    distance from the origin.

    Points that are all the same are moved only. Batches have a form of their own,
    :func:`~pcdet_kd.layers.unit_sphere`.
    """
    moved = points if center is None else points - centre_of(points, center)
    radius = radius_of(moved)
    return moved / radius if radius > 0 else moved


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
