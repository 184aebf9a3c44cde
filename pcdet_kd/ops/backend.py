"""Which implementation the ops take: plain torch, or numba kernels on the CPU."""

import importlib
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

BACKENDS = ('auto', 'torch', 'numba')
KERNELS = {
    'farthest_point_sample': 'fps',
    'knn': 'neighbors',
    'ball_query': 'neighbors',
    'emd_match': 'auction',
}

_chosen = 'auto'
_warned: set[str] = set()
_pool: tuple[int, ThreadPoolExecutor] | None = None  # its number of threads, and it
_lock = threading.Lock()


class use:
    """Choose the implementation of all ops, for good or inside a ``with`` block.

    Both give the same indices on 3-D clouds; what differs is speed. Gradients never depend on it.

    Args:
        name: ``'auto'``: numba for CPU tensors, torch for the rest (and for all, with one warning, if numba can't be
            imported). ``'torch'``: always plain torch. ``'numba'``: always the CPU kernels; CUDA tensors are copied there
            and the indices back.

    Raises:
        ValueError: An unknown name.
        ImportError: ``'numba'`` and it can't be imported.
    """

    def __init__(self, name: str) -> None:
        global _chosen
        if name not in BACKENDS:
            raise ValueError(f'back end is {name!r}, expected one of {BACKENDS}')
        if name == 'numba' and not has_numba():
            raise ImportError("ops.use('numba'): numba can't be imported; install it with: pip install numba")
        self._previous, _chosen = _chosen, name

    def __enter__(self) -> 'use':
        return self

    def __exit__(self, *exc_info: object) -> None:
        global _chosen
        _chosen = self._previous


def info() -> dict[str, Any]:
    """Return what was chosen, numba's version (None: missing), and the back end of each op on CPU and on CUDA tensors."""
    numba = importlib.import_module('numba').__version__ if has_numba() else None
    cpu = 'torch' if _chosen == 'torch' or numba is None else 'numba'
    cuda = 'numba (copied to the CPU)' if cpu == 'numba' else cpu
    ops = {op: dict(cpu=cpu, cuda=cuda if _chosen == 'numba' else 'torch') for op in KERNELS if op != 'emd_match'}
    ops['emd_match'] = dict(cpu=cpu if cpu == 'numba' else 'scipy', cuda=cuda if cpu == 'numba' else 'scipy')
    return dict(use=_chosen, numba=numba, threads=torch.get_num_threads(), ops=ops)


def has_numba() -> bool:
    """Return whether numba can be imported. The first call imports it."""
    try:
        importlib.import_module('numba')
    except ImportError:
        return False
    return True


def kernels(op: str, tensor: Tensor) -> ModuleType | None:
    """Return the module of numba kernels that ``op`` should use on ``tensor``, or None for plain torch."""
    if _chosen == 'torch' or torch.compiler.is_compiling() or torch.jit.is_tracing():
        return None
    if _chosen == 'auto' and tensor.device.type != 'cpu' and op != 'emd_match':
        return None
    if not has_numba():
        if op not in _warned:
            _warned.add(op)
            warnings.warn(f"{op}: numba can't be imported, so the slower plain version runs; pip install numba "
                          "(or silence this with pcdet_kd.ops.use('torch'))", stacklevel=3)
        return None
    return importlib.import_module(f'pcdet_kd.ops.kernels.{KERNELS[op]}')


def to_numpy(points: Tensor) -> np.ndarray:
    """Return ``points`` as a contiguous float32 array on the CPU, without its graph."""
    return points.detach().to('cpu', torch.float32).contiguous().numpy()


def for_each_cloud(function: Callable[[int], Any], batch: int) -> list[Any]:
    """Return ``[function(0), …, function(batch - 1)]``, on as many threads as torch uses.

    The kernels release the GIL and know nothing of threads: an OpenMP region of numba would end a forked DataLoader worker,
    and in such a worker torch uses one thread, so nothing is started there.
    """
    threads = min(torch.get_num_threads(), batch)
    if threads <= 1:
        return [function(b) for b in range(batch)]
    return list(_executor().map(function, range(batch)))


def _executor() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        threads = torch.get_num_threads()
        if _pool is None or _pool[0] != threads:
            _pool = threads, ThreadPoolExecutor(threads, thread_name_prefix='pcdet_kd_ops')
        return _pool[1]


def _after_fork() -> None:
    global _pool, _lock
    _pool, _lock = None, threading.Lock()  # the parent's threads don't exist in the child


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
