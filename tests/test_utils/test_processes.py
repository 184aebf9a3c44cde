import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch

from pcdet_kd.utils.processes import default_workers, process_pool

_told = []


def double(number):
    return 2 * number, torch.get_num_threads(), signal.getsignal(signal.SIGINT), list(_told)


def test_work_is_shared_and_ctrl_c_left_to_the_parent():
    with process_pool(2, _told.append, 'told') as pool:
        found = list(pool.map(double, range(5)))
    assert [f[0] for f in found] == [0, 2, 4, 6, 8] and not _told
    assert {(f[1], f[2], *f[3]) for f in found} == {(1, signal.SIG_IGN, 'told')}


def test_what_was_not_begun_is_left_undone():
    start = time.perf_counter()
    with pytest.raises(KeyError):
        with process_pool(1) as pool:
            waiting = [pool.submit(time.sleep, 0.2) for _ in range(300)]
            raise KeyError
    assert waiting[-1].cancelled() and time.perf_counter() - start < 30


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='processes are looked at through /proc')
def test_processes_end_with_a_killed_parent():
    script = textwrap.dedent("""
        import multiprocessing, os, signal, time
        from pcdet_kd.utils.processes import process_pool
        with process_pool(2) as pool:
            waiting = [pool.submit(time.sleep, 0.01) for _ in range(9000)]
            waiting[0].result()
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
    raise AssertionError('a process is left')


def runs(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_default_workers():
    assert default_workers() >= 1
