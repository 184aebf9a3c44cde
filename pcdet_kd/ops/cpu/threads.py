"""Running a kernel on every cloud of a batch, on as many threads as torch uses."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

_pool: tuple[int, ThreadPoolExecutor] | None = None  # its number of threads, and it
_lock = threading.Lock()


def to_numpy(points: Tensor) -> np.ndarray:
    """Return ``points`` as a contiguous float32 array on the CPU, without its graph."""
    return points.detach().to('cpu', torch.float32).contiguous().numpy()


def to_index(index: Tensor, num_points: int) -> np.ndarray:
    """Return ``index`` as a contiguous array on the CPU.

    The kernels read and write where it says. So it is looked at here too, for graphs and for
    callers that skip the checks.

    Raises:
        IndexError: It names a point that does not exist.
    """
    index = index.detach().cpu().contiguous()
    if index.numel():
        low, high = (int(v) for v in torch.aminmax(index))
        if low < 0 or high >= num_points:
            raise IndexError(
                f'index {tuple(index.shape)} holds values from {low} to {high}, outside the '
                f'{num_points} points'
            )
    return index.numpy()


def for_each_cloud(function: Callable[[int], Any], batch: int) -> list[Any]:
    """Return ``[function(0), …, function(batch - 1)]``, on as many threads as torch uses.

    The kernels release the GIL and know nothing of threads: an OpenMP region of numba would end a
    forked DataLoader worker, and in such a worker torch uses one thread, so nothing is started
    there.
    """
    threads = min(torch.get_num_threads(), batch)
    if threads <= 1:
        return [function(b) for b in range(batch)]
    results = [None] * batch
    left = iter(range(batch))

    def work() -> None:
        for b in left:  # shared by the threads: each takes the next cloud that nobody has taken
            results[b] = function(b)

    others = [_executor().submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        for other in others:
            other.result()
    return results


def for_each_part(
    function: Callable[[int, int, int], Any], batch: int, rows: int, least: int = 64
) -> list[Any]:
    """Return ``function(b, start, stop)`` for parts of the rows of each cloud: small batches are
    cut up for the threads.

    A part has at least ``least`` rows, if there are so many.
    """
    threads = torch.get_num_threads()
    parts = 1 if threads == 1 or batch >= 2 * threads else -(-2 * threads // batch)
    size = max(least, -(-rows // parts))
    tasks = [
        (b, start, min(start + size, rows)) for b in range(batch) for start in range(0, rows, size)
    ]
    return for_each_cloud(lambda t: function(*tasks[t]), len(tasks))


def _executor() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        threads = torch.get_num_threads()
        if _pool is None or _pool[0] != threads:
            _pool = threads, ThreadPoolExecutor(threads, thread_name_prefix='pcdet_kd_ops')
        return _pool[1]


def _after_fork() -> None:
    global _pool, _lock
    _pool, _lock = None, threading.Lock()  # the parent's threads do not exist in the child


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
