"""Smooth deformations of space around a cloud, controlled by a 5 x 5 x 5 grid on the box [-1,
1].
"""

from functools import cache

import numpy as np

from pcdet_kd.utils.arguments import check_choice

_SIDE = 5
_RHO = 0.5
_BINOMIALS = np.array([1.0, 4.0, 6.0, 4.0, 1.0])


def control_points() -> np.ndarray:
    """Return the grid (125, 3); the last axis runs fastest."""
    side = np.linspace(-1, 1, _SIDE)
    return np.stack(np.meshgrid(side, side, side, indexing='ij'), axis=-1).reshape(-1, 3)


def free_form(points: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Free-form deformation (Sederberg and Parry, 1986) by Bernstein polynomials of degree 4 on the
    box [-1, 1].

    Args:
        points: (N, 3). Those outside the box stay where they are.
        displacement: (5, 5, 5, 3) of the control points, in sides of the box: 0.5 is a distance of
            1.

    Returns:
        (N, 3) float64.
    """
    place = (points + 1) / 2
    inside = ((place >= 0) & (place <= 1)).all(axis=1)
    x, y, z = (_bernstein(place[inside, axis]) for axis in range(3))
    plane = (x[:, :, None] * y[:, None, :]).reshape(len(x), -1)
    weight = (plane[:, :, None] * z[:, None, :]).reshape(len(x), -1)
    moved = points.astype(np.float64)
    moved[inside] += 2 * _product(weight, displacement.reshape(-1, 3))
    return moved


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b without BLAS, whose threads would compete in many
    processes.
    """
    return np.einsum('ij,kj->ik', a, np.ascontiguousarray(b.T))


def _bernstein(place: np.ndarray) -> np.ndarray:
    """Return the five polynomials of degree 4 at places (n,) in [0, 1]: (n, 5)."""
    up, down = np.vander(place, _SIDE, increasing=True), np.vander(1 - place, _SIDE)
    return _BINOMIALS * up * down


def radial_basis(points: np.ndarray, displacement: np.ndarray, kernel: str) -> np.ndarray:
    """Interpolate displacements of the control points by radial basis functions and a linear
    polynomial.

    The interpolant of the moved control points K + D has the coefficients W of
    ``[[Phi, 1, K], [1', 0, 0], [K', 0, 0]] W = [K + D; 0; 0]``. The polynomial reproduces K itself,
    so that only D is solved for, with a matrix that is factorised once.

    Args:
        points: (N, 3).
        displacement: (125, 3) of the control points, in the order of :func:`control_points`.
        kernel: ``'multi_quadratic'``, sqrt(d² + 0.25), or ``'inverse'``, 1 / sqrt(d² + 0.25).

    Returns:
        (N, 3) float64.

    Raises:
        ValueError: Another kernel.
    """
    return points + _product(_basis(points, kernel), _product(_solution(kernel), displacement))


def _basis(points: np.ndarray, kernel: str) -> np.ndarray:
    from scipy.spatial.distance import cdist

    check_choice('kernel', kernel, ('multi_quadratic', 'inverse'))
    phi = np.sqrt(cdist(points, control_points(), 'sqeuclidean') + _RHO**2)
    return np.hstack(
        [phi if kernel == 'multi_quadratic' else 1 / phi, np.ones((len(points), 1)), points]
    )


@cache
def _solution(kernel: str) -> np.ndarray:
    """Return the matrix (129, 125) from displacements to coefficients."""
    from scipy.linalg import solve

    grid = control_points()
    upper = _basis(grid, kernel)
    system = np.zeros((len(grid) + 4,) * 2)
    system[: len(grid)] = upper
    system[len(grid) :, : len(grid)] = upper[:, len(grid) :].T
    return solve(system, np.eye(len(system))[:, : len(grid)])
