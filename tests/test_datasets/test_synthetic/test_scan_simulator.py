import numpy as np
import pytest

from pcdet_kd.datasets.synthetic.mesh import Mesh, merge
from pcdet_kd.datasets.synthetic.primitives import box, cushion
from pcdet_kd.datasets.synthetic.scan_simulator import Scan, cameras, damage, scan, visible


def mesh_of(solid, part):
    return Mesh(solid.vertices, solid.faces, np.full(len(solid.faces), part))


CUBE = mesh_of(box('', (1, 1, 1), (0, -0.5, 0)), 0)
FAR_CUBE = CUBE.transformed(np.eye(3), (0, 0, -3))
EYE = np.array([0.0, 0, 5])


def test_only_the_face_towards_the_camera_is_seen():
    points, normals, _ = CUBE.sample(6000, np.random.default_rng(0))
    seen, distance = visible(points, normals, EYE, np.zeros(3))
    front = np.isclose(points[:, 2], 0.5)
    assert seen[front].mean() > 0.99 and not seen[~front].any()
    np.testing.assert_allclose(distance, np.linalg.norm(points - EYE, axis=1))


def test_an_object_hides_what_is_behind_it():
    wall = mesh_of(box('', (1, 1, 0.1), (0, -0.5, -2)), 1)
    points, normals, parts = merge([CUBE, wall]).sample(20000, np.random.default_rng(0))
    seen, _ = visible(points, normals, EYE, np.zeros(3))
    assert seen[parts == 1].mean() < 0.015  # a cube of the wall's size, nearer: it hides all of it
    wider = mesh_of(box('', (4, 4, 0.1), (0, -2, -2)), 1)
    points, normals, parts = merge([CUBE, wider]).sample(20000, np.random.default_rng(0))
    seen, _ = visible(points, normals, EYE, np.zeros(3))
    behind = (parts == 1) & (np.abs(points[:, :2]).max(axis=1) < 0.6) & (normals[:, 2] > 0.9)
    beside = (parts == 1) & (np.abs(points[:, :2]).max(axis=1) > 1.0) & (normals[:, 2] > 0.9)
    assert seen[behind].mean() < 0.01 and seen[beside].mean() > 0.97


def test_a_curved_surface_is_seen_as_a_whole():
    ball = mesh_of(cushion('', (1, 1, 1), (0, -0.5, 0), 2, 2, 60, 40), 0)
    points, normals, _ = ball.sample(12000, np.random.default_rng(0))
    seen, _ = visible(points, normals, EYE, np.zeros(3))
    assert seen[points[:, 2] > 0.2].mean() > 0.98 and not seen[points[:, 2] < -0.01].any()


def test_nothing_faces_the_camera():
    points, normals = np.zeros((3, 3)), np.tile([0.0, 0, -1], (3, 1))
    assert not visible(points, normals, EYE, np.zeros(3))[0].any()


@pytest.mark.parametrize('wall', [True, False])
def test_cameras_look_from_above_and_not_through_walls(wall):
    low, high = np.array([-0.5, 0, -0.5]), np.array([0.5, 1, 0.5])
    counts, behind = set(), False
    for i in range(200):
        eyes = cameras(low, high, wall, np.random.default_rng(i))
        counts.add(len(eyes))
        assert (eyes[:, 1] > 0.5).all() and (np.linalg.norm(eyes - (0, 0.5, 0), axis=1) > 1.5).all()
        behind |= bool((eyes[:, 2] < -0.5).any())
    assert counts == {1, 2, 3} and behind != wall


def test_scan_adds_noise_that_grows_with_distance():
    def spread(eye):
        # The ripple is smooth, so that a plane through a small patch takes it out.
        found = scan(CUBE, 40000, np.array([eye]), np.random.default_rng(0))
        patch = found.points[np.abs(found.points[:, :2]).max(axis=1) < 0.1]
        design = np.column_stack([patch[:, :2], np.ones(len(patch))])
        return (patch[:, 2] - design @ np.linalg.lstsq(design, patch[:, 2], rcond=None)[0]).std()

    near, far = spread((0, 0, 2.0)), spread((0, 0, 8.0))
    assert 0.003 < near < 0.02 and far > 3 * near


def test_scan_without_noise_is_exact_and_sees_more_from_more_places():
    one = scan(CUBE, 5000, np.array([EYE]), np.random.default_rng(0), noise=0)
    assert np.allclose(one.points[:, 2], 0.5) and (one.normals == (0, 0, 1)).all()
    two = scan(CUBE, 5000, np.array([EYE, -EYE + (0, 0, 1)]), np.random.default_rng(0), noise=0)
    assert np.isclose(two.points[:, 2], -0.5).sum() > 500


def test_scan_keeps_part_labels():
    both = merge([CUBE, mesh_of(box('', (1, 1, 1), (2, -0.5, 0)), -1)])
    found = scan(both, 5000, np.array([(1.0, 0, 6)]), np.random.default_rng(0))
    assert (found.parts == np.where(found.points[:, 0] < 1, 0, -1)).all()


def test_damage_removes_and_never_too_much():
    points = np.random.default_rng(0).uniform(size=(2000, 3))
    whole = Scan(points, points, np.arange(2000))
    kept = [damage(whole, np.random.default_rng(i)) for i in range(100)]
    shares = np.array([len(k.points) / 2000 for k in kept])
    assert shares.min() > 0.29 and shares.max() == 1 and 0.6 < shares.mean() < 0.95
    assert all((k.points == points[k.parts]).all() for k in kept)
    clump = np.concatenate([np.zeros((98, 3)), np.eye(3)[:2]])  # a hole would take nearly all of it
    kept = [damage(Scan(clump, clump, np.arange(100)), np.random.default_rng(i)) for i in range(50)]
    assert min(len(k.points) for k in kept) > 30
    assert all(
        len(damage(whole, np.random.default_rng(i), crop=0).points) > 1500 for i in range(20)
    )
