import numpy as np
import pytest

from pcdet_kd.datasets.transforms.point_arrays import POINT_KEYS, take, transform_normals, up_index


def test_take_takes_every_per_point_array():
    results = {key: np.arange(5) * 10 for key in POINT_KEYS} | dict(gt_label=1, other=np.arange(5))
    out = take(results, np.array([3, 0, 0]))
    assert all(out[key].tolist() == [30, 0, 0] for key in POINT_KEYS)
    assert out['other'] is results['other'] and out['gt_label'] == 1


def test_up_index():
    assert [up_index(dict(up_axis=axis)) for axis in 'xyz'] == [0, 1, 2]
    with pytest.raises(KeyError, match="no 'up_axis'"):
        up_index(dict(up_axis=None))


def test_normals():
    assert transform_normals({}, np.eye(3)) == {}
    out = transform_normals(
        dict(normals=np.array([[0, 2, 0]], np.float32)), np.diag([1.0, 3.0, 1.0])
    )
    assert out['normals'].tolist() == [[0, 1, 0]] and out['normals'].dtype == np.float32
