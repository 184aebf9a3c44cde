"""The corruptions of ModelNet-C (Ren et al., ICML 2022).

Each takes a cloud (N, 3) in the unit sphere, a level from 0 to 4 and a generator, and returns a new
cloud (N', 3) float32. The numbers of points that are dropped or added locally are the authors', for
clouds of 1,024.
"""

import numpy as np

from pcdet_kd.corruptions.geometry import (
    as_cloud,
    by_severity,
    nearest_first,
    rotation_matrices,
    to_unit_sphere,
)

_FIRST = 0
_MAX_CLUSTERS = 7


def scale(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Scale each axis by U(1/s, s), s = 1.6 to 2, and normalise to the unit sphere."""
    s = by_severity((1.6, 1.7, 1.8, 1.9, 2.0), severity, _FIRST)
    return to_unit_sphere(as_cloud(points) * rng.uniform(1 / s, s, 3)).astype(np.float32)


def jitter(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Add noise from N(0, s²) to each coordinate, s = 0.01 to 0.05, without a limit."""
    points = as_cloud(points)
    sigma = by_severity((0.01, 0.02, 0.03, 0.04, 0.05), severity, _FIRST)
    return (points + sigma * rng.standard_normal(points.shape)).astype(np.float32)


def rotate(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Turn by angles from U(-a, a) about each axis, a = 6 to 30 degrees: points as rows, times Rz
    Ry Rx.
    """
    a = np.pi / 6 * by_severity((0.2, 0.4, 0.6, 0.8, 1.0), severity, _FIRST)
    rx, ry, rz = rotation_matrices(*rng.uniform(-a, a, 3))
    return (as_cloud(points) @ (rz @ ry @ rx)).astype(np.float32)


def dropout_global(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Keep a random 3/4 to 1/4 of the points, in random order."""
    share = by_severity((0.25, 0.375, 0.5, 0.625, 0.75), severity, _FIRST)
    points = as_cloud(points, 4)
    return points[rng.permutation(len(points))[: int(len(points) * (1 - share))]].astype(np.float32)


def dropout_local(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Drop 100 to 500 points in 1 to 7 clusters, each around a random point that is left; in random
    order.
    """
    total = by_severity((100, 200, 300, 400, 500), severity, _FIRST)
    rest = as_cloud(points, total + 1)
    for size in _cluster_sizes(total, rng):
        rest = rest[rng.permutation(len(rest))]
        rest = np.delete(rest, nearest_first(rest, rest[0])[:size], axis=0)
    return rest.astype(np.float32)


def add_global(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Append 10 to 50 points from the unit ball."""
    count = by_severity((10, 20, 30, 40, 50), severity, _FIRST)
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return np.concatenate([as_cloud(points), direction * np.cbrt(rng.random((count, 1)))]).astype(
        np.float32
    )


def add_local(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Append 100 to 500 points in 1 to 7 clusters: normal noise of width 0.075 to 0.125 around
    random points.

    The cloud is shuffled. An added point outside the unit sphere is divided by its squared distance
    from the origin, which mirrors it into the sphere (the authors' code).
    """
    total = by_severity((100, 200, 300, 400, 500), severity, _FIRST)
    points = as_cloud(points, _MAX_CLUSTERS)
    points = points[rng.permutation(len(points))]
    sizes = _cluster_sizes(total, rng)
    width = np.repeat(rng.uniform(0.075, 0.125, len(sizes)), sizes)[:, None]
    added = np.repeat(points[: len(sizes)], sizes, axis=0) + width * rng.standard_normal((total, 3))
    squared = (added**2).sum(axis=1, keepdims=True)
    return np.concatenate([points, added / np.maximum(squared, 1)]).astype(np.float32)


def _cluster_sizes(total: int, rng: np.random.Generator) -> np.ndarray:
    """Return the sizes of 1 to 7 clusters, ``total`` together; each point falls into any of them
    with equal probability, so one may be empty.
    """
    clusters = int(rng.integers(1, _MAX_CLUSTERS + 1))
    return np.bincount(rng.integers(clusters, size=total), minlength=clusters)
