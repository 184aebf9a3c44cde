import numpy as np
import pytest

from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.robustness.generation.parallel import compute_chunks
from pcdet_kd.robustness.generation.sample import Maker
from pcdet_kd.utils.errors import SampleError

TASKS = [
    (None, range(0, 5)),
    (('cutout', 2), range(0, 5)),
    (('cutout', 2), range(5, 12)),
    (('lidar', 1), range(3, 5)),
    (('distortion_rbf', 5), range(0, 12)),
    (('uniform', 1), range(11, 12)),
]


def test_order_and_values_do_not_depend_on_the_workers(source):
    maker = Maker(SUITES['modelnet40-c'], source, 3, 1024)
    alone, two, three = (list(compute_chunks(maker, TASKS, workers)) for workers in (1, 2, 3))
    assert [len(chunk) for chunk in alone] == [5, 5, 7, 2, 12, 1]
    for chunk, others in zip(alone, zip(two, three)):
        for other in others:
            np.testing.assert_array_equal(np.stack(chunk), np.stack(other))


def test_errors_of_workers_arrive(source):
    chunks = compute_chunks(
        Maker(SUITES['modelnet40-c'], source, 3, 200),
        [(None, range(2)), (('cutout', 5), range(2))],
        2,
    )
    assert len(next(chunks)) == 2
    with pytest.raises(SampleError, match="'cutout' at severity 5 of sample 'test/0000'"):
        next(chunks)
