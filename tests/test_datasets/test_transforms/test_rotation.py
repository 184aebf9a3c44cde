import numpy as np
import pytest

from pcdet_kd.datasets.transforms import RandomRotate


def rotations(transform, n=200, up_axis='y'):
    """The matrices (n, 3, 3) that were applied, from rotated unit vectors."""
    results = dict(
        points=np.eye(3, dtype=np.float32), normals=np.eye(3, dtype=np.float32), up_axis=up_axis
    )
    outs = [transform(results) for _ in range(n)]
    for out in outs:
        np.testing.assert_allclose(out['points'], out['normals'], atol=1e-6)
    return np.array([out['points'] for out in outs], dtype=np.float64)


@pytest.mark.parametrize('axis', ['up', 'x', 'y', 'z', 'any', 'so3'])
def test_rigid_and_right_handed(axis):
    matrices = rotations(RandomRotate(axis), 20)
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.tile(np.eye(3), (20, 1, 1)), atol=1e-6
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-6)


@pytest.mark.parametrize('up_axis', ['x', 'y', 'z'])
def test_up_follows_the_data(up_axis):
    up = 'xyz'.index(up_axis)
    for transform in (RandomRotate(), RandomRotate(up_axis=up_axis), RandomRotate(up_axis)):
        matrices = rotations(transform, up_axis=up_axis)
        np.testing.assert_allclose(matrices[:, up], np.eye(3)[[up] * len(matrices)], atol=1e-6)
        angles = np.arctan2(
            matrices[:, (up + 1) % 3, (up + 2) % 3], matrices[:, (up + 1) % 3, (up + 1) % 3]
        )
        assert angles.min() < -2.8 and angles.max() > 2.8


def test_range_in_degrees():
    angles = np.degrees(
        np.arccos(
            np.clip((np.trace(rotations(RandomRotate('any', 30)), axis1=1, axis2=2) - 1) / 2, -1, 1)
        )
    )
    assert 25 < angles.max() <= 30.01
    np.testing.assert_allclose(
        rotations(RandomRotate('z', 0), 3), np.tile(np.eye(3), (3, 1, 1)), atol=1e-7
    )


def test_so3_is_uniform():
    # E[tr R] = 0 and E[(tr R)^2] = 1 for the uniform distribution; a uniform angle about a uniform
    # axis has E[tr R] = 1
    traces = np.trace(rotations(RandomRotate('so3'), 3000), axis1=1, axis2=2)
    assert abs(traces.mean()) < 0.06 and abs((traces**2).mean() - 1) < 0.08
    assert abs(np.trace(rotations(RandomRotate('any'), 3000), axis1=1, axis2=2).mean() - 1) < 0.1


def test_wrong_up_axis_is_an_error():
    with pytest.raises(ValueError, match="up axis is 'z', the pipeline expects 'y'"):
        RandomRotate(up_axis='y')(dict(points=np.eye(3, dtype=np.float32), up_axis='z'))
    with pytest.raises(ValueError, match="up axis is 'z', the pipeline expects 'y'"):
        RandomRotate(axis='y', up_axis='y')(dict(points=np.eye(3, dtype=np.float32), up_axis='z'))
    with pytest.raises(KeyError, match="no 'up_axis'"):
        RandomRotate()(dict(points=np.eye(3, dtype=np.float32)))
    with pytest.raises(ValueError, match="up_axis is 'w'"):
        RandomRotate()(dict(points=np.eye(3, dtype=np.float32), up_axis='w'))
    RandomRotate('z')(dict(points=np.eye(3, dtype=np.float32)))  # needs to know no up axis


def test_wrong_arguments():
    for kwargs in (
        dict(axis='w'),
        dict(degrees=181),
        dict(degrees=-1),
        dict(axis='so3', degrees=90),
        dict(up_axis='up'),
    ):
        with pytest.raises(ValueError, match=r'must be|leave'):
            RandomRotate(**kwargs)
