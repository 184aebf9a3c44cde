from math import comb

import numpy as np
import pytest

from pcdet_kd.corruptions import deformation


def bernstein_sum(point, displacement):
    """Free-form deformation of one point, term by term."""
    u = [(x + 1) / 2 for x in point]
    moved = np.array(point, float)
    for i in range(5):
        for j in range(5):
            for k in range(5):
                w = 1.0
                for n, t in zip((i, j, k), u):
                    w *= comb(4, n) * t**n * (1 - t) ** (4 - n)
                moved += 2 * w * displacement[i, j, k]
    return moved


def test_free_form_against_the_sum():
    rng = np.random.default_rng(0)
    points = np.vstack([rng.uniform(-1, 1, (20, 3)), [[1, 1, 1], [-1, -1, -1], [1, -1, 0]]])
    displacement = rng.uniform(-0.5, 0.5, (5, 5, 5, 3))
    expected = [bernstein_sum(p, displacement) for p in points]
    np.testing.assert_allclose(
        deformation.free_form(points, displacement), expected, rtol=0, atol=1e-14
    )


def test_free_form_at_corners_and_outside():
    displacement = np.zeros((5, 5, 5, 3))
    displacement[4, 0, 4] = (0.1, 0.2, 0.3)
    points = np.array([[1.0, -1, 1], [1, 1, 1], [1.01, -1, 1]])
    np.testing.assert_allclose(
        deformation.free_form(points, displacement) - points,
        [[0.2, 0.4, 0.6], [0, 0, 0], [0, 0, 0]],
        atol=1e-15,
    )
    uniform = np.broadcast_to([0.05, 0, -0.1], (5, 5, 5, 3))  # the polynomials add up to 1
    np.testing.assert_allclose(
        deformation.free_form(points[:2], uniform) - points[:2], [[0.1, 0, -0.2]] * 2, atol=1e-15
    )


@pytest.mark.parametrize('kernel', ['multi_quadratic', 'inverse'])
def test_radial_basis_against_the_whole_system(kernel):
    rng = np.random.default_rng(1)
    side = np.linspace(-1, 1, 5)
    grid = np.array([[x, y, z] for x in side for y in side for z in side])
    np.testing.assert_array_equal(deformation.control_points(), grid)

    def phi(a, b):
        root = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1) + 0.25)
        return root if kernel == 'multi_quadratic' else 1 / root

    ones, zeros = np.ones((125, 1)), np.zeros((4, 4))
    system = np.block([[phi(grid, grid), ones, grid], [np.vstack([ones.T, grid.T]), zeros]])
    displacement = rng.normal(size=(125, 3)) * 0.05
    weights = np.linalg.solve(system, np.vstack([grid + displacement, np.zeros((4, 3))]))
    points = rng.uniform(-1, 1, (40, 3))
    expected = np.hstack([phi(points, grid), np.ones((40, 1)), points]) @ weights
    np.testing.assert_allclose(
        deformation.radial_basis(points, displacement, kernel), expected, rtol=0, atol=1e-10
    )
    np.testing.assert_allclose(
        deformation.radial_basis(grid, displacement, kernel),
        grid + displacement,
        rtol=0,
        atol=1e-10,
    )


def test_radial_basis_reproduces_linear_maps_and_differs_by_kernel():
    grid, points = deformation.control_points(), np.random.default_rng(0).uniform(-1, 1, (9, 3))
    linear = np.array([[0.1, 0, 0.2], [0, -0.1, 0], [0.05, 0, 0]])
    for kernel in ('multi_quadratic', 'inverse'):
        np.testing.assert_allclose(
            deformation.radial_basis(points, grid @ linear + 0.1, kernel),
            points + points @ linear + 0.1,
            atol=1e-10,
        )
    noise = np.random.default_rng(1).normal(size=(125, 3))
    assert (
        np.abs(
            deformation.radial_basis(points, noise, 'inverse')
            - deformation.radial_basis(points, noise, 'multi_quadratic')
        ).max()
        > 1e-3
    )
    with pytest.raises(ValueError, match="kernel is 'gaussian'"):
        deformation.radial_basis(points, noise, 'gaussian')
