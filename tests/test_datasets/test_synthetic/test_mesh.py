import numpy as np
import pytest

from pcdet_kd.datasets.synthetic.mesh import Mesh, dot, merge, rotate, rotation


@pytest.fixture
def triangles():
    """A 3-4-5 triangle of part 7 in the plane z = 0, and one of a quarter of its area, of part 2,
    in the plane y = 1.
    """
    vertices = np.array(
        [(0, 0, 0), (4, 0, 0), (0, 3, 0), (0, 1, 0), (1.5, 1, 0), (0, 1, -2)], float
    )
    return Mesh(vertices, np.array([(0, 1, 2), (3, 4, 5)]), np.array([7, 2]))


def test_face_vectors(triangles):
    normals, areas = triangles.face_vectors()
    np.testing.assert_allclose(areas, [6, 1.5])
    np.testing.assert_allclose(normals, [(0, 0, 1), (0, 1, 0)], atol=1e-12)


def test_face_without_area_has_no_normal():
    normals, areas = Mesh(np.zeros((3, 3)), np.array([(0, 1, 2)]), np.array([0])).face_vectors()
    assert areas[0] == 0 and not normals.any()


def test_sample_is_even_by_area(triangles):
    points, normals, parts = triangles.sample(1000, np.random.default_rng(0))
    assert abs((parts == 7).sum() - 800) <= 1
    large = points[parts == 7]
    assert (
        (large[:, 2] == 0).all()
        and (large[:, :2] >= 0).all()
        and (large[:, 0] / 4 + large[:, 1] / 3 <= 1 + 1e-12).all()
    )
    np.testing.assert_allclose(large.mean(axis=0), (4 / 3, 1, 0), atol=0.1)
    np.testing.assert_array_equal(
        normals[parts == 2], np.tile([0.0, 1, 0], (len(normals) - len(large), 1))
    )


def test_a_single_point_falls_anywhere(triangles):
    parts = [triangles.sample(1, np.random.default_rng(i))[2][0] for i in range(400)]
    assert np.mean(np.array(parts) == 7) == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize('count', [1, 2, 17])
def test_sample_has_the_count_asked_for(triangles, count):
    for seed in range(20):
        points, normals, parts = triangles.sample(count, np.random.default_rng(seed))
        assert points.shape == normals.shape == (count, 3) and parts.shape == (count,)


def test_rotation_turns_the_next_axis_into_the_one_after():
    for axis, (before, after) in {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}.items():
        np.testing.assert_allclose(
            rotation(axis, np.pi / 2) @ np.eye(3)[before], np.eye(3)[after], atol=1e-15
        )


def test_rotate_and_dot_are_matrix_products():
    rng = np.random.default_rng(0)
    points, matrix = rng.normal(size=(5, 3)), rng.normal(size=(3, 3))
    np.testing.assert_allclose(rotate(points, matrix), points @ matrix.T)
    np.testing.assert_allclose(dot(points, matrix[0]), points @ matrix[0])
    np.testing.assert_allclose(dot(points, points), (points**2).sum(axis=1))


def test_transformed(triangles):
    moved = triangles.transformed(2 * rotation('y', np.pi / 2), (0, 1, 0))
    np.testing.assert_allclose(moved.vertices[1], (0, 1, -8), atol=1e-12)
    np.testing.assert_allclose(triangles.vertices[1], (4, 0, 0))


def test_merge_keeps_triangles_and_parts(triangles):
    both = merge([triangles, triangles.transformed(np.eye(3), (10, 0, 0))])
    np.testing.assert_allclose(both.face_vectors()[1], [6, 1.5, 6, 1.5])
    assert both.face_parts.tolist() == [7, 2, 7, 2]
    assert both.vertices[both.faces[2]].min(axis=0)[0] == 10
