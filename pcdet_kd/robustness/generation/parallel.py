"""Chunks of clouds from several processes, in order."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from pcdet_kd.robustness.generation.sample import Maker

Task = tuple[tuple[str, int] | None, range]
_AHEAD = 4  # chunks per process that are computed before they are asked for
_maker: Maker | None = None


def compute_chunks(maker: Maker, tasks: Iterable[Task], workers: int) -> Iterator[list[np.ndarray]]:
    """Yield the clouds of each task, (name, severity) and their positions, in the order of the
    tasks.

    Args:
        maker: Makes a cloud.
        tasks: The clouds to make.
        workers: Processes; 1 or less for this one alone.
    """
    if workers <= 1:
        for chosen, indices in tasks:
            yield [maker.make(chosen, i) for i in indices]
        return
    # A fork shares the clouds. torch has one thread in the processes, so that its pools, which a
    # fork breaks, are not used.
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    with warnings.catch_warnings():
        warnings.filterwarnings(
            'ignore', message='.*multi-threaded.*fork', category=DeprecationWarning
        )
        pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context(method), _start, (maker, os.getpid())
        )
        waiting = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_compute, task))
                if len(waiting) >= _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _compute(task: Task) -> np.ndarray:
    chosen, indices = task
    return [_maker.make(chosen, i) for i in indices]


def _start(maker: Maker, parent: int) -> None:
    global _maker
    _maker = maker
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops, and then the pool
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: one that was killed cannot say so."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
