import numpy as np
import pytest

from pcdet_kd.datasets.transforms import ConvertUpAxis


@pytest.mark.parametrize('source', 'xyz')
@pytest.mark.parametrize('target', 'xyz')
def test_up_goes_to_up(source, target):
    basis = np.eye(3, dtype=np.float32)
    out = ConvertUpAxis(target)(dict(points=basis, normals=basis, up_axis=source))
    assert out['up_axis'] == target
    np.testing.assert_array_equal(out['points']['xyz'.index(source)], basis['xyz'.index(target)])
    np.testing.assert_array_equal(out['normals'], out['points'])
    assert np.linalg.det(out['points']) == 1


def test_y_up_to_z_up():
    out = ConvertUpAxis('z')(dict(points=np.array([[1, 2, 3]], np.float32), up_axis='y'))
    assert out['points'].tolist() == [[3, 1, 2]]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="to is 'up'"):
        ConvertUpAxis('up')
