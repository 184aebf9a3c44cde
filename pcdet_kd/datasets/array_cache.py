"""A parsed array on disk: written atomically, and built again when its sources or its bytes have
changed.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from pcdet_kd.datasets.read_once import note_file
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import atomic_write, file_sha256, write_whole


def default_cache_dir() -> Path:
    """Return where this package keeps caches: below ``XDG_CACHE_HOME``, or ``~/.cache`` if that is
    not an absolute path.
    """
    root = os.environ.get('XDG_CACHE_HOME', '')
    return (Path(root) if os.path.isabs(root) else Path.home() / '.cache') / 'pcdet_kd'


def cached_array(path: Path, sources: dict, build: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the array cached in ``path``; build and store it if there is no valid one.

    Beside ``x.npy`` lies ``x.json`` with the sources and a hash of the file. An array that is stale
    (other sources) or damaged (other bytes) is built again, and a line in the log says why. Both
    files are written under another name in the same directory and then renamed.

    Args:
        path: The cache file, ``*.npy``.
        sources: What the array was made from, as JSON values: equal sources must give an equal
            array.
        build: Makes the array.

    Raises:
        DataError: The cache cannot be written.
    """
    fault = _fault(path, sources)
    if fault is None:
        note_file(path)
        return np.load(path, allow_pickle=False)
    if fault:
        print_log(f'{path} is {fault}: it is built again', logger='current')
    array = build()
    try:
        with atomic_write(path) as file:
            np.save(file, array, allow_pickle=False)
        record = dict(sources=sources, sha256=file_sha256(path))
        write_whole(path.with_suffix('.json'), json.dumps(record))
    except OSError as error:
        raise DataError(
            path,
            f'{error.strerror or error}',
            f'room for {array.nbytes / 1e6:.0f} MB in a writable directory',
            'pass cache_dir=<a writable directory>',
        ) from error
    note_file(path)
    return array


def _fault(path: Path, sources: dict) -> str | None:
    """Return None if the cache is valid, else what is wrong with it ('' if there is none)."""
    record_path = path.with_suffix('.json')
    if not path.exists() or not record_path.exists():
        return ''
    try:
        record = json.loads(record_path.read_text())
        if record['sources'] != json.loads(json.dumps(sources)):
            return 'stale (its source files or settings have changed)'
        if record['sha256'] != file_sha256(path):
            return 'damaged (its bytes have changed)'
    except (ValueError, KeyError, TypeError, RecursionError):
        return 'damaged (its record cannot be read)'
    return None
