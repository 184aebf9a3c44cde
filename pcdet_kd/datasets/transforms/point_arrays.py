"""The entries of a sample that belong to its points, and how they are indexed together."""

import numpy as np

from pcdet_kd.utils.arguments import check_choice

POINT_KEYS = ('points', 'normals', 'rgb', 'heights', 'part_labels', 'mask')
AXES = ('x', 'y', 'z')


def take(results: dict, index: np.ndarray) -> dict:
    """Return a copy of a sample with points ``index`` (M,) of every per-point array; nothing is
    changed in place.
    """
    return {**results, **{key: results[key][index] for key in POINT_KEYS if key in results}}


def up_index(results: dict) -> int:
    """Return the column of the up axis.

    Raises:
        KeyError: The sample does not say which axis points up.
        ValueError: ``up_axis`` is not ``'x'``, ``'y'`` or ``'z'``.
    """
    if results.get('up_axis') is None:
        raise KeyError("the sample has no 'up_axis'; data sets set it from metainfo['up_axis']")
    check_choice('up_axis', results['up_axis'], AXES)
    return AXES.index(results['up_axis'])


def transform_normals(results: dict, matrix: np.ndarray) -> dict:
    """Return ``{'normals': ...}`` turned by ``matrix`` (3, 3), rows as vectors, and made unit
    length; {} without normals.

    For points ``p @ A`` the matrix is the inverse transpose of A. A zero normal stays zero.
    """
    if 'normals' not in results:
        return {}
    normals = results['normals'].astype(np.float64) @ matrix
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return {'normals': (normals / np.where(length > 0, length, 1)).astype(np.float32)}
