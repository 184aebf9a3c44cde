"""A parsed array on disk: written whole or not at all, and rebuilt when its sources or its bytes
have changed.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from pcdet_kd.utils.errors import DataError


def cached_array(path: Path, sources: dict, build: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the array cached in ``path``, building and storing it if there is none that fits.

    Beside ``x.npy`` lies ``x.json`` with the sources and a hash of the file. An array that is stale
    (other sources) or damaged (other bytes) is built again, and a line in the log says why. Both
    files are written under another name in the same directory and then renamed.

    Args:
        path: The cache file, ``*.npy``.
        sources: What the array was made from, as JSON values: equal sources mean an equal array.
        build: Makes the array.

    Raises:
        DataError: The cache cannot be written.
    """
    fault = _fault(path, sources)
    if fault is None:
        return np.load(path, allow_pickle=False)
    if fault:
        print_log(f'{path} is {fault}: building it again', logger='current')
    array = build()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, lambda file: np.save(file, array, allow_pickle=False))
        record = json.dumps(dict(sources=sources, hash=_hash(path))).encode()
        replace(path.with_suffix('.json'), lambda file: file.write(record))
    except OSError as error:
        raise DataError(
            path,
            f'{error.strerror or error}',
            f'room for {array.nbytes / 1e6:.0f} MB in a writable directory',
            'pass cache_dir=<a writable directory>',
        ) from error
    return array


def replace(path: Path, write: Callable) -> None:
    """Write a file through ``write(file)`` so that ``path`` is always the old file or the whole new
    one.
    """
    handle, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', suffix='.tmp', dir=path.parent)
    try:
        with os.fdopen(handle, 'wb') as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _fault(path: Path, sources: dict) -> str | None:
    """Return None if the cache fits, else what is wrong with it ('' if there is none)."""
    record_path = path.with_suffix('.json')
    if not path.exists() or not record_path.exists():
        return ''
    try:
        record = json.loads(record_path.read_text())
        if record['sources'] != json.loads(json.dumps(sources)):
            return 'stale (its source files or settings have changed)'
        if record['hash'] != _hash(path):
            return 'damaged (its bytes have changed)'
    except (ValueError, KeyError, TypeError):
        return 'damaged (its record cannot be read)'
    return None


def _hash(path: Path) -> str:
    with path.open('rb') as file:
        return (
            hashlib.file_digest(file, hashlib.blake2b).hexdigest()
            if hasattr(hashlib, 'file_digest')
            else hashlib.blake2b(file.read()).hexdigest()
        )
