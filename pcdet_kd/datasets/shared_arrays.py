"""Arrays in memory that started processes map instead of copying them."""

import math
import mmap
import os
import tempfile
import weakref
from multiprocessing import context, reduction

import numpy as np


def is_starting_a_process() -> bool:
    """Return whether an object is pickled for a process that is being started and can receive
    memory.
    """
    return context.get_spawning_popen() is not None and hasattr(reduction, 'DupFd')


class SharedArray:
    """A read-only array in anonymous memory of the system, which has no name and is freed after its
    last user.

    Pickled for a process that is being started (``spawn`` or ``forkserver``), it takes only a file
    descriptor along. It is not POSIX shared memory, which is often limited to 64 MB in containers.

    Args:
        array: Copied once.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._descriptor = _anonymous_memory()
        weakref.finalize(self, os.close, self._descriptor)
        with open(self._descriptor, 'wb', closefd=False) as file:
            file.write(np.ascontiguousarray(array).data.cast('B') if array.size else b'')
        self.array = _map(self._descriptor, array.shape, array.dtype)

    def __reduce__(self) -> tuple:
        return _attach, (reduction.DupFd(self._descriptor), self.array.shape, self.array.dtype)


class SharedList:
    """Arrays of unequal length in one :class:`SharedArray`; ``array`` is the list of them.

    Args:
        arrays: Equal in type and in all axes but the first.
    """

    def __init__(self, arrays: list[np.ndarray]) -> None:
        self._whole = SharedArray(np.concatenate(arrays))
        self._ends = np.cumsum([len(a) for a in arrays])[:-1]

    @property
    def array(self) -> list[np.ndarray]:
        """The arrays."""
        whole = self._whole if isinstance(self._whole, np.ndarray) else self._whole.array
        return np.split(whole, self._ends)


def share(values: np.ndarray | list[np.ndarray]) -> SharedArray | SharedList | None:
    """Return the shared form of an array or of a list of arrays; None if a list's arrays
    differ in type or in a later axis.
    """
    if isinstance(values, np.ndarray):
        return SharedArray(values)
    alike = len({(a.dtype, a.shape[1:]) for a in values}) == 1
    return SharedList(values) if alike else None


def _anonymous_memory() -> int:
    """Return a descriptor of memory, or, where the system has none, of a file without a name."""
    if hasattr(os, 'memfd_create'):
        return os.memfd_create('pcdet_kd')
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _map(descriptor: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    size = math.prod(shape) * dtype.itemsize
    # an empty file cannot be mapped
    buffer = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if size else b''
    return np.frombuffer(buffer, dtype).reshape(shape)


def _attach(handle: object, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    descriptor = handle.detach()
    try:
        return _map(descriptor, shape, dtype)
    finally:
        os.close(descriptor)
