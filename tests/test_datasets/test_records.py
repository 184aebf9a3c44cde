import copy

import numpy as np
import pytest

from pcdet_kd.datasets.records import Records


def test_arrays_and_lists_become_read_only():
    ragged = Records([np.zeros((2, 3), np.float32)], np.zeros(1, np.int64), ['x'])
    ragged.freeze()
    for array in (ragged.points[0], ragged.labels):
        with pytest.raises(ValueError, match='read-only'):
            array += 1
    assert copy.deepcopy(ragged) is ragged


def test_a_record_has_the_hash_of_its_points_and_extras():
    points = np.zeros((3, 2, 3), np.float32)
    points[2] = 1
    records = Records(points, np.zeros(3, int), list('abc'), dict(rgb=points.copy()))
    assert records.hash_of(0) == records.hash_of(1) != records.hash_of(2)
    records.extras['rgb'][1] = 5
    again = Records(points, records.labels, records.ids, records.extras)
    assert again.hash_of(1) != records.hash_of(0)
