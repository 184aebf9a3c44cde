"""Pickled arrays, read without running what a pickle may ask for."""

import io
import math
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.files import check_size, reading

_NUMBERS = 'biuf'
_MOST_VALUES = 1_000_000


def read_array_pickle(path: Path, contents: str, fix: str) -> Any:
    """Return what a pickle file holds: dicts, lists, tuples, text, numbers, and arrays of numbers.

    Nothing is imported or called: NumPy's own names become records, from which arrays are made
    anew after their types and sizes are checked.

    Args:
        path: The file.
        contents: What should be in it, for messages.
        fix: What to do, for messages.

    Raises:
        DataError: The file is missing or damaged, or holds something else.
    """
    with reading(path, contents, fix):
        file = io.BytesIO(path.read_bytes())  # which gives no more bytes than there are
        content = _Content(path).plain(_Unpickler(file).load())
    return content


class _DType:
    """Record of a ``numpy.dtype``."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = code, '='

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def real(self) -> np.dtype:
        """Return the type, if it is one of plain numbers."""
        order = self.order if self.order in ('<', '>') else '='
        dtype = np.dtype(str(self.code)).newbyteorder(order)
        if dtype.kind not in _NUMBERS or dtype.itemsize == 0:
            raise pickle.UnpicklingError(f'an array of {self.code}, which are no numbers')
        return dtype


class _Array:
    """Record of a ``numpy.ndarray``."""

    def __init__(self, *_: Any) -> None:
        self.state = None

    def __setstate__(self, state: tuple) -> None:
        self.state = state

    def real(self) -> np.ndarray:
        """Return the array."""
        _, shape, dtype, by_columns, data = self.state
        return _array(shape, dtype, bool(by_columns), data)


class _Buffer:
    """Record of an array that was pickled as a buffer."""

    def __init__(self, data: Any, dtype: Any, shape: Any, order: Any = 'C') -> None:
        self.parts = data, dtype, shape, order

    def real(self) -> np.ndarray:
        """Return the array."""
        data, dtype, shape, order = self.parts
        return _array(shape, dtype, order == 'F', data)


class _Scalar:
    """Record of a NumPy number."""

    def __init__(self, dtype: Any, data: Any) -> None:
        self.parts = dtype, data

    def real(self) -> np.ndarray:
        """Return the number as an array without axes."""
        dtype, data = self.parts
        return _array((), dtype, False, data)


def _latin(text: Any, encoding: Any) -> bytes:
    """Stand for ``_codecs.encode``, with which older pickles write bytes."""
    if not isinstance(text, str) or encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError('text that is no latin1')
    return text.encode('latin1')


def _no_bytes() -> bytes:
    """Stand for ``bytes``, with which older pickles write none."""
    return b''


_MODULES = ('numpy.core', 'numpy._core')
_RECORDS = {
    ('numpy', 'dtype'): _DType,
    ('numpy', 'ndarray'): _Array,
    ('_codecs', 'encode'): _latin,
    ('__builtin__', 'bytes'): _no_bytes,
    **{(f'{m}.multiarray', '_reconstruct'): _Array for m in _MODULES},
    **{(f'{m}.multiarray', 'scalar'): _Scalar for m in _MODULES},
    **{(f'{m}.numeric', '_frombuffer'): _Buffer for m in _MODULES},
}


# Python's own and not C's, which makes room for as many memos as the file says
class _Unpickler(pickle._Unpickler):
    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _RECORDS:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}, which is not read')
        return _RECORDS[module, name]

    def load_bytearray8(self) -> None:
        """Read the bytes of a buffer, without room for as many as the file says."""
        (size,) = struct.unpack('<Q', self.read(8))
        self.append(self.read(size))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


def _array(shape: Any, dtype: Any, by_columns: bool, data: Any) -> np.ndarray:
    if not isinstance(dtype, _DType) or not isinstance(data, bytes):
        raise pickle.UnpicklingError('an array without a type or without numbers')
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise pickle.UnpicklingError(f'an array of shape {str(shape)[:80]}')
    real = dtype.real()
    if math.prod(shape) * real.itemsize != len(data):
        raise pickle.UnpicklingError(f'an array of shape {shape} with {len(data):,} bytes')
    order = 'F' if by_columns else 'C'
    array = np.frombuffer(data, real).reshape(shape, order=order)
    return array.astype(real.newbyteorder('='), copy=False)


class _Content:
    """What a pickle unpacks to: a small file could show one array, or one list, many times."""

    def __init__(self, path: Path) -> None:
        self.path, self.values, self.bytes = path, 0, 0

    def plain(self, node: Any, above: tuple[int, ...] = ()) -> Any:
        """Return a value with arrays and numbers in place of records."""
        self.values += 1
        if self.values > _MOST_VALUES or id(node) in above:
            raise pickle.UnpicklingError(f'more than {_MOST_VALUES:,} values, or it holds itself')
        if isinstance(node, (_Array, _Buffer, _Scalar)):
            array = node.real()
            self.bytes += array.nbytes
            check_size(self.path, self.bytes, 'arrays')
            return array.item() if isinstance(node, _Scalar) else array
        if node is None or type(node) in (bool, int, float, str):
            return node
        inside = (*above, id(node))
        if type(node) is dict:
            return {key: self.plain(value, inside) for key, value in node.items()}
        if type(node) in (list, tuple):
            return type(node)(self.plain(value, inside) for value in node)
        raise pickle.UnpicklingError(f'it holds a {type(node).__name__}, which is not read')
