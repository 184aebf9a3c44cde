import os
import subprocess
import sys
import textwrap
import time

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


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='processes are looked at through /proc')
def test_workers_end_with_a_killed_parent(tmp_path):
    script = textwrap.dedent("""
        import multiprocessing, os, signal, sys, time
        from pcdet_kd.robustness.generation import parallel
        class Slow:
            def make(self, chosen, index):
                time.sleep(0.01)
                return index
        chunks = parallel.compute_chunks(Slow(), [(None, range(5))] * 2000, 2)
        next(chunks)
        print(*(p.pid for p in multiprocessing.active_children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', script], capture_output=True, text=True, timeout=100
    )
    workers = [int(pid) for pid in done.stdout.split()]
    assert done.returncode == -9 and len(workers) == 2
    for _ in range(100):
        if not any(runs(pid) for pid in workers):
            return
        time.sleep(0.1)
    raise AssertionError('a worker is left')


def runs(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except FileNotFoundError:
        return False
