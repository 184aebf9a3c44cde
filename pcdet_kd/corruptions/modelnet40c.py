"""The corruptions of ModelNet40-C (Sun et al., arXiv 2201.12296).

Each takes a cloud (N, 3) in the unit sphere, a severity from 1 to 5 and a generator, and returns a
new cloud (N', 3) float32. The numbers of points that are moved in groups (30, 75, 100) are the
authors', for clouds of 1,024. ``finish=False`` leaves out the last step, the normalisation to the
box [-1, 1] or the clipping to it, which training on corrupted clouds does not do. Rotations and
shears act on points as rows.
"""

import numpy as np

from pcdet_kd.corruptions.deformation import control_points, free_form, radial_basis
from pcdet_kd.corruptions.geometry import (
    as_cloud,
    by_severity,
    nearest_first,
    rotation_matrices,
    to_unit_box,
)

_FIRST = 1


def _finished(points: np.ndarray, finish: bool) -> np.ndarray:
    return (to_unit_box(points) if finish else points).astype(np.float32)


def density_inc(
    points: np.ndarray, severity: int, rng: np.random.Generator, num_points: int = 1024
) -> np.ndarray:
    """Keep all 100 points around each of 1 to 5 places, and draw the rest with replacement from
    what remains.

    Args:
        points: (N, 3) with more than 100 points per place; the authors take all 2,048.
        severity: Number of places.
        rng: Source of the random numbers.
        num_points: Points of the result, at least 100 per place.

    Returns:
        (num_points, 3) float32: the dense places first.
    """
    count = by_severity((1, 2, 3, 4, 5), severity, _FIRST)
    if num_points < 100 * count:
        raise ValueError(
            f'num_points is {num_points}, expected at least {100 * count} at severity {severity}'
        )
    rest, dense = as_cloud(points, 100 * count + 1), []
    for _ in range(count):
        order = nearest_first(rest, rest[rng.integers(len(rest))])
        dense.append(rest[order[:100]])
        rest = rest[np.sort(order[100:])]
    return np.concatenate(
        [*dense, rest[rng.integers(len(rest), size=num_points - 100 * count)]]
    ).astype(np.float32)


def density(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Delete 75 of the 100 points around each of 1 to 5 places: (N - 75 * severity, 3)."""
    count = by_severity((1, 2, 3, 4, 5), severity, _FIRST)
    rest = as_cloud(points, 75 * count + 25)
    for _ in range(count):
        near = nearest_first(rest, rest[rng.integers(len(rest))])[:100]
        rest = np.delete(rest, rng.permutation(near)[:75], axis=0)
    return rest.astype(np.float32)


def cutout(points: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Cut 2, 3, 5, 7 or 10 holes of 30 points each: (N - 30 * holes, 3)."""
    holes = by_severity((2, 3, 5, 7, 10), severity, _FIRST)
    rest = as_cloud(points, 30 * holes + 1)
    for _ in range(holes):
        rest = np.delete(rest, nearest_first(rest, rest[rng.integers(len(rest))])[:30], axis=0)
    return rest.astype(np.float32)


def uniform(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Add noise from U(-c, c) to each coordinate, c = 0.01 to 0.05."""
    c = by_severity((0.01, 0.02, 0.03, 0.04, 0.05), severity, _FIRST)
    points = as_cloud(points)
    return _finished(points + rng.uniform(-c, c, points.shape), finish)


def gaussian(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Add noise from N(0, c²) to each coordinate, c = 0.01 to 0.03; clipped to [-1, 1], not
    normalised.
    """
    c = by_severity((0.01, 0.015, 0.02, 0.025, 0.03), severity, _FIRST)
    points = as_cloud(points)
    noisy = points + c * rng.standard_normal(points.shape)
    return (np.clip(noisy, -1, 1) if finish else noisy).astype(np.float32)


def impulse(
    points: np.ndarray,
    severity: int,
    rng: np.random.Generator,
    finish: bool = True,
    count: int | None = None,
) -> np.ndarray:
    """Move N/30 to N/10 distinct points by 0.1 along every axis, with a random sign each.

    Args:
        points: (N, 3).
        severity: 1 to 5.
        rng: Source of the random numbers.
        finish: Normalise to the box.
        count: How many points, at every severity.
    """
    points = as_cloud(points)
    divisor = by_severity((30, 25, 20, 15, 10), severity, _FIRST)
    count = len(points) // divisor if count is None else count
    chosen = rng.choice(len(points), count, replace=False)
    points[chosen] += 0.1 * rng.choice((-1.0, 1.0), (count, 3))
    return _finished(points, finish)


def upsampling(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Append N/5, N/4, N/3, N/2 or N copies of distinct points, moved by U(-0.05, 0.05) along each
    axis.
    """
    points = as_cloud(points)
    count = len(points) // by_severity((5, 4, 3, 2, 1), severity, _FIRST)
    copies = points[rng.choice(len(points), count, replace=False)] + rng.uniform(
        -0.05, 0.05, (count, 3)
    )
    return _finished(np.concatenate([points, copies]), finish)


def background(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Append N/45, N/40, N/35, N/30 or N/20 points from the whole box [-1, 1]."""
    points = as_cloud(points)
    count = len(points) // by_severity((45, 40, 35, 30, 20), severity, _FIRST)
    return _finished(np.concatenate([points, rng.uniform(-1, 1, (count, 3))]), finish)


def rotation(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Turn about x, then y, then z, by c - 2.5 to c + 2.5 degrees either way, c = 2.5, 5, 7.5, 10,
    15.
    """
    c = by_severity((2.5, 5.0, 7.5, 10.0, 15.0), severity, _FIRST)
    rx, ry, rz = rotation_matrices(*np.radians(_either_way(c, 2.5, 3, rng)))
    return _finished(as_cloud(points) @ rx @ ry @ rz, finish)


def shear(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Shear by four coefficients of size c - 0.05 to c + 0.05, c = 0.05 to 0.25. y, the upright
    axis, stays.
    """
    b, d, e, f = _either_way(
        by_severity((0.05, 0.1, 0.15, 0.2, 0.25), severity, _FIRST), 0.05, 4, rng
    )
    return _finished(as_cloud(points) @ np.array([[1, 0, b], [d, 1, e], [f, 0, 1]]), finish)


def _either_way(middle: float, spread: float, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(middle - spread, middle + spread, count) * rng.choice((-1.0, 1.0), count)


def distortion(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Free-form deformation: control points moved by U(-c, c) of the box's side along each axis, c
    = 0.1 to 0.5.
    """
    c = by_severity((0.1, 0.2, 0.3, 0.4, 0.5), severity, _FIRST)
    return _finished(free_form(as_cloud(points), rng.uniform(-c, c, (5, 5, 5, 3))), finish)


def distortion_rbf(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Deformation by radial basis functions, multi-quadratic, with control points moved by 0.025 to
    0.125.
    """
    return _finished(
        radial_basis(as_cloud(points), _directions(severity, rng), 'multi_quadratic'), finish
    )


def distortion_rbf_inv(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """The same with inverse multi-quadratic functions."""
    return _finished(radial_basis(as_cloud(points), _directions(severity, rng), 'inverse'), finish)


def _directions(severity: int, rng: np.random.Generator) -> np.ndarray:
    """Moves of equal length; their directions crowd at the poles, as the authors' do."""
    length = by_severity((0.025, 0.05, 0.075, 0.1, 0.125), severity, _FIRST)
    a, g = rng.uniform(-np.pi, np.pi, (2, len(control_points())))
    return length * np.stack([np.cos(a) * np.sin(g), np.sin(a) * np.sin(g), np.cos(g)], axis=1)


def scale(
    points: np.ndarray, severity: int, rng: np.random.Generator, finish: bool = True
) -> np.ndarray:
    """Scale each axis by 1 + U(-c, c), c = 0.1 to 0.5. Not one of the suite's fifteen; JGEKD's
    later code trains with it.
    """
    c = by_severity((0.1, 0.2, 0.3, 0.4, 0.5), severity, _FIRST)
    return _finished(as_cloud(points) * (1 + rng.uniform(-c, c, 3)), finish)
