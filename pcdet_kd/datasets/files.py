"""Reading files of a data set: every fault becomes one :class:`DataError`, and no memory is
allocated for sizes that a file only claims.
"""

import json
import math
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from pcdet_kd.datasets.read_once import note_file
from pcdet_kd.utils.errors import DataError

MAX_BYTES = 'PCDET_KD_MAX_BYTES'


@contextmanager
def reading(path: Path, contents: str, fix: str) -> Iterator[Path]:
    """Read a file with any parser: whatever it raises becomes one :class:`DataError`.

    Warnings of the parser, and of numbers that do not fit their type, are not shown.

    Args:
        path: The file; see :func:`require_file`.
        contents: What should be in it, for the message.
        fix: What to do, for the message.

    Yields:
        The path.

    Raises:
        DataError: The file is missing, or the block failed.
    """
    require_file(path, contents, fix)
    try:
        with warnings.catch_warnings(), np.errstate(all='ignore'):
            warnings.simplefilter('ignore')
            yield path
    except DataError:
        raise
    except Exception as error:  # parsers raise whatever they stumble over
        reason = next(iter(str(error).splitlines()), '')[:200]
        if isinstance(error, UnicodeDecodeError):
            reason = 'not text'
        elif ' ' not in reason:  # a KeyError says only the key
            reason = repr(error)[:200]
        found = f'{path.stat().st_size:,} bytes that cannot be read ({reason})'
        raise DataError(path, found, contents, fix) from error


def check_size(path: Path, needed: int, what: str) -> None:
    """Compare the memory that a file's content needs with the size of the file, before reading it.

    The larger of the file's size and 1 GiB is allowed; the environment variable
    ``PCDET_KD_MAX_BYTES`` sets another number of bytes instead of 1 GiB.

    Args:
        path: The file.
        needed: How many bytes it unpacks to, by its own header.
        what: What these bytes are, for the message.

    Raises:
        DataError: Too many bytes, or the variable is not a number.
    """
    size, most = path.stat().st_size, most_bytes()
    if needed > max(size, most):
        raise DataError(
            path,
            f'{what} of {needed:,} bytes in a file of {size:,}',
            f'at most {max(size, most):,} bytes',
            f'remove the file; if you trust it, export {MAX_BYTES}={needed}',
        )


def most_bytes() -> int:
    """Return how many bytes a small file may unpack to: 1 GiB, or ``PCDET_KD_MAX_BYTES``."""
    text = os.environ.get(MAX_BYTES, str(2**30))
    if not text.isdecimal():
        raise DataError(MAX_BYTES, f"'{text}'", 'a number of bytes', f'export {MAX_BYTES}={2**30}')
    return int(text)


def require_directory(path: str | Path, contents: str, fix: str) -> Path:
    """Return ``path`` as a :class:`Path` if it is a directory.

    Args:
        path: The directory.
        contents: What should be in it, for the message.
        fix: Where that comes from, for the message.

    Raises:
        DataError: It is missing or not a directory.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise DataError(
            path,
            'a file' if path.exists() else 'no such directory',
            f'a directory with {contents}',
            fix,
        )
    note_file(path)
    return path


def require_file(path: Path, contents: str, fix: str) -> Path:
    """Return ``path`` if it is a file with something in it that is not a web page.

    Raises:
        DataError: It is missing, empty, cannot be opened, or is an HTML page saved under the name
            of a data file.
    """
    if not os.path.isfile(path):
        there = f'there is no folder {path.parent}'
        if os.path.isdir(path.parent):
            there = (
                f'its folder holds {", ".join(sorted(os.listdir(path.parent))[:8]) or "nothing"}'
            )
        found = 'a directory' if os.path.isdir(path) else 'no such file'
        raise DataError(path, f'{found}; {there}', contents, fix)
    try:
        with path.open('rb') as file:
            head = file.read(512)
    except OSError as error:
        raise DataError(path, f'{error.strerror}', contents, fix) from error
    if not head:
        raise DataError(path, 'an empty file (0 bytes)', contents, fix)
    if head.lstrip().lower().startswith((b'<!doctype html', b'<html')):
        raise DataError(
            path,
            'an HTML page: the download returned a login, consent or error page',
            contents,
            fix,
        )
    note_file(path)
    return path


def read_lines(path: Path, contents: str, fix: str) -> list[str]:
    """Return the non-empty lines of a list file, without surrounding blanks.

    Raises:
        DataError: The file is missing, empty, holds no line or is not text, or a line occurs twice.
    """
    with reading(path, contents, fix):
        lines = [
            line.strip() for line in path.read_text(encoding='utf-8').splitlines() if line.strip()
        ]
    if not lines:
        raise DataError(path, 'only blank lines', contents, fix)
    if len(set(lines)) != len(lines):
        twice = next(line for i, line in enumerate(lines) if line in lines[:i])
        raise DataError(path, f"'{twice}' twice", 'every line once', fix)
    return lines


def read_json(path: Path, contents: str, fix: str) -> Any:
    """Return the content of a JSON file.

    Raises:
        DataError: The file is missing, or is not JSON.
    """
    with reading(path, contents, fix):
        return json.loads(path.read_text(encoding='utf-8'))


def read_npy(path: Path, contents: str, fix: str) -> np.ndarray:
    """Return the array of a ``.npy`` file, of numbers only.

    Raises:
        DataError: The file is missing, not in NumPy's format, shorter than its header says, or
            holds something else than numbers.
    """
    with reading(path, contents, fix), path.open('rb') as file:
        return _read_array(file, path.stat().st_size)


def read_npz(
    path: Path, wanted: Sequence[str] | None, contents: str, fix: str
) -> dict[str, np.ndarray]:
    """Return arrays of a ``.npz`` file: those of the wanted names that it has, or its only one; all
    of them where ``wanted`` is None.

    Raises:
        DataError: The file is missing or damaged, unpacks to too much (:func:`check_size`), or has
            several arrays but none of these names.
    """
    with reading(path, contents, fix), zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix('.npy'): info for info in archive.infolist()}
        chosen = {k: info for k, info in members.items() if wanted is None or k in wanted}
        if not chosen and len(members) == 1:
            chosen = members
        if not chosen:
            raise DataError(path, f'arrays {", ".join(members) or "none"}', contents, fix)
        check_size(path, sum(info.file_size for info in chosen.values()), 'arrays')
        arrays = {}
        for name, info in chosen.items():
            with archive.open(info) as file:
                arrays[name] = _read_array(file, info.file_size)
        return arrays


def _read_array(file: BinaryIO, size: int) -> np.ndarray:
    """Read an array in NumPy's format from a stream that says to hold ``size`` bytes."""
    first = npy_format.read_magic(file) == (1, 0)
    read_header = npy_format.read_array_header_1_0 if first else npy_format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file)
    if dtype.kind not in 'fiu':
        raise ValueError(f'an array of shape {shape} and type {dtype}, which does not hold numbers')
    count = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or count > size:
        raise ValueError(f'a header that claims {count:,} bytes for {shape} of {dtype}')
    data = bytearray(count)
    if file.readinto(data) < count:
        raise ValueError(f'fewer than {count:,} bytes after the header')
    return np.ndarray(shape, dtype, data, order='F' if is_fortran else 'C')


Shape = Sequence[int | None] | None


def read_h5(
    path: Path, required: Mapping[str, Shape], optional: Mapping[str, Shape], fix: str
) -> dict[str, np.ndarray]:
    """Read complete arrays from an HDF5 file.

    Args:
        path: The file.
        required: Names and shapes of the required arrays; None means any size, or any shape.
        optional: The same for arrays that are read if they exist.
        fix: How to get a good file, for the messages.

    Returns:
        The arrays, in the file's types.

    Raises:
        DataError: The file is missing, empty, truncated, not HDF5, lacks an array, or an array has
            another shape.
    """
    import h5py

    contents = 'an HDF5 file with ' + ', '.join(
        f"'{name}' {_shape(shape)}".strip() for name, shape in required.items()
    )
    arrays = {}
    with reading(path, contents, fix), h5py.File(path, 'r') as file:
        for name, shape in (*required.items(), *optional.items()):
            dataset = file.get(name)
            if not isinstance(dataset, h5py.Dataset):
                if name in optional:
                    continue
                there = ', '.join(sorted(file)) or 'none'
                raise DataError(path, f"no array '{name}' (there are: {there})", contents, fix)
            sizes = dataset.shape if shape is None else shape
            if len(sizes) != dataset.ndim or any(
                want not in (None, got) for want, got in zip(sizes, dataset.shape)
            ):
                raise DataError(
                    path,
                    f"'{name}' of shape {dataset.shape}",
                    f"'{name}' of shape {_shape(shape)}",
                    fix,
                )
            if dataset.dtype.kind not in 'fiu':
                raise DataError(
                    path, f"'{name}' of type {dataset.dtype}", f"'{name}' holds numbers", fix
                )
            chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
            check_size(path, max(dataset.nbytes, chunk), f"'{name}'")
            arrays[name] = dataset[()]
    return arrays


def _shape(shape: Shape) -> str:
    if shape is None:
        return ''
    sizes = ['any' if size is None else str(size) for size in shape]
    return f'({", ".join(sizes)}{"," if len(sizes) == 1 else ""})'


def read_labels(path: Path, labels: np.ndarray, count: int, fix: str) -> np.ndarray:
    """Return (n,) int64 class indices from an array (n,) or (n, 1) of whole numbers.

    Raises:
        DataError: Another shape, another number of labels than ``count`` clouds, or a number that
            is not whole.
    """
    if labels.shape not in ((count,), (count, 1)):
        raise DataError(
            path,
            f"'label' of shape {labels.shape}",
            f'({count},) or ({count}, 1), one per cloud',
            fix,
        )
    whole = labels.reshape(-1)
    if not np.array_equal(whole, np.floor(whole)) or (np.abs(whole) > 2**31).any():
        raise DataError(path, 'labels that are not whole numbers', 'class indices', fix)
    return whole.astype(np.int64)


def read_listed_h5(
    listing: Path, required: Mapping[str, Shape], optional: Mapping[str, Shape], fix: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read and join the HDF5 files that a list names, in the order of the list.

    The files lie beside the list: of a listed path only the last part counts.

    ``required``, ``data`` (n, N, ...) and ``label`` among them, ``optional`` and ``fix`` are those
    of :func:`read_h5`. An optional array is in all files or in none.

    Returns:
        The arrays, and a name for each cloud: ``<file>/<number>``.

    Raises:
        DataError: A file is missing or malformed, or the files do not fit together.
    """
    names = [
        PurePosixPath(line.replace('\\', '/')).name
        for line in read_lines(listing, 'the names of the h5 files, one a line', fix)
    ]
    if len(set(names)) != len(names):
        raise DataError(listing, 'the same file name twice', 'every file once', fix)
    parts, ids = [], []
    for name in names:
        path = listing.parent / name
        arrays = read_h5(path, required, optional, fix)
        count, size = arrays['data'].shape[:2]
        arrays['label'] = read_labels(path, arrays['label'], count, fix)
        first = parts[0] if parts else arrays
        wanted = first['data'].shape[1]
        if size != wanted:
            raise DataError(path, f'{size} points per cloud', f'{wanted}, as in {names[0]}', fix)
        for key in arrays.keys() ^ first.keys():
            has, lacks = (name, names[0]) if key in arrays else (names[0], name)
            raise DataError(
                listing.parent / lacks, f"no array '{key}'", f"'{key}', as in {has}", fix
            )
        parts.append(arrays)
        ids += [f'{Path(name).stem}/{i:04d}' for i in range(count)]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}, ids
