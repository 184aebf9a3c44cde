import copy
import pickle

import numpy as np
import pytest

from pcdet_kd.datasets.rows import Rows


def make(number):
    return dict(number=number)


def numbers(rows):
    return [row['number'] for row in rows]


@pytest.mark.parametrize('index', [6, np.arange(6)])
def test_a_sequence_of_entries(index):
    rows = Rows(make, index)
    assert len(rows) == 6 and numbers(rows) == list(range(6))
    assert rows[-1] == dict(number=5) and type(rows[np.int64(2)]['number']) is int
    with pytest.raises(IndexError):
        rows[6]
    assert numbers(rows[:2]) == [0, 1] and numbers(rows[-2:]) == [4, 5]
    assert numbers(rows[1:6:2]) == [1, 3, 5] and numbers(rows[::-1]) == [5, 4, 3, 2, 1, 0]
    assert numbers(rows[2:][1:]) == [3, 4, 5]
    assert copy.deepcopy(rows) is rows and numbers(pickle.loads(pickle.dumps(rows))) == numbers(
        rows
    )
