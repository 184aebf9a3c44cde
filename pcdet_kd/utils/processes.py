"""Processes that share work with this one."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch


def default_workers() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


@contextmanager
def process_pool(
    workers: int, prepare: Callable[..., None] | None = None, *args: Any
) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of processes; what it has not begun when the block ends is left undone.

    Where the system can fork, they have what was imported, compiled and read here. torch has one
    thread in each, so that its pools, which a fork breaks, are not used. They leave Ctrl-C to this
    process, and end with it, however it ends.

    Args:
        workers: Number of processes.
        prepare: Called in each of them first, with ``args``.
        args: What ``prepare`` needs.
    """
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    context = multiprocessing.get_context(method)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            'ignore', message='.*multi-threaded.*fork', category=DeprecationWarning
        )
        pool = ProcessPoolExecutor(workers, context, _start, (os.getpid(), prepare, args))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def _start(parent: int, prepare: Callable[..., None] | None, args: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(1)
    if prepare is not None:
        prepare(*args)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: one that was killed cannot say so."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
