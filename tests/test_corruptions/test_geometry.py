import numpy as np
import pytest

from pcdet_kd.corruptions import geometry


def test_unit_box_and_sphere():
    points = np.array([[1.0, 2, 3], [5, 4, 3], [3, 3, 3.5]])
    box = geometry.to_unit_box(points)
    np.testing.assert_allclose(box.min(0), [-1, -0.5, -0.125])
    np.testing.assert_allclose(box.max(0), [1, 0.5, 0.125])
    sphere = geometry.to_unit_sphere(points)
    np.testing.assert_allclose(sphere.mean(0), 0, atol=1e-15)
    assert np.linalg.norm(sphere, axis=1).max() == pytest.approx(1)
    for function in (geometry.to_unit_box, geometry.to_unit_sphere):
        assert not function(np.ones((4, 3))).any()


def test_rotations():
    rx, ry, rz = geometry.rotation_matrices(*np.radians((90, 90, 90)))
    np.testing.assert_allclose(rx @ [0, 1, 0], [0, 0, 1], atol=1e-15)
    np.testing.assert_allclose(ry @ [0, 0, 1], [1, 0, 0], atol=1e-15)
    np.testing.assert_allclose(rz @ [1, 0, 0], [0, 1, 0], atol=1e-15)
    from scipy.spatial.transform import Rotation

    for axis, matrix in zip('xyz', geometry.rotation_matrices(0.3, -1.1, 2.0)):
        angle = dict(x=0.3, y=-1.1, z=2.0)[axis]
        np.testing.assert_allclose(matrix, Rotation.from_euler(axis, angle).as_matrix(), atol=1e-15)


def test_nearest_first():
    points = np.array([[2.0, 0, 0], [1, 0, 0], [0, 1, 0], [3, 0, 0]])
    assert geometry.nearest_first(points, np.zeros(3)).tolist() == [1, 2, 0, 3]
    assert geometry.nearest_first(np.tile(points, (200, 1)), np.zeros(3))[:400].tolist() == [
        i for i in range(800) if i % 4 in (1, 2)
    ]


@pytest.mark.parametrize('a', 'xyz')
@pytest.mark.parametrize('b', 'xyz')
def test_turned(a, b):
    points = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    there = geometry.turned(points, a, b)
    np.testing.assert_array_equal(there[:, 'xyz'.index(b)], points[:, 'xyz'.index(a)])
    np.testing.assert_array_equal(geometry.turned(there, b, a), points)
    assert np.linalg.det(geometry.turned(np.eye(3), a, b)) == pytest.approx(
        1
    )  # a rotation, not a mirror


def test_meshes_are_turned_as_the_authors_do():
    """X Rx(-90 degrees) Rz(180 degrees), points as rows."""
    points = np.random.default_rng(0).normal(size=(5, 3))
    rx, _, rz = geometry.rotation_matrices(-np.pi / 2, 0, np.pi)
    np.testing.assert_allclose(geometry.turned(points, 'z', 'y'), points @ rx @ rz, atol=1e-14)
