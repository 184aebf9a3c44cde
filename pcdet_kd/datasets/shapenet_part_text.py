"""ShapeNetPart's text files: one a shape, parsed once."""

from functools import cache as memo
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from pcdet_kd.datasets.array_cache import cached_array
from pcdet_kd.datasets.class_names import SHAPENET_PART
from pcdet_kd.datasets.files import read_json, read_lines, reading, require_file
from pcdet_kd.datasets.records import Records
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.processes import process_pool
from pcdet_kd.utils.progress import progress_bar

CATEGORIES = 'synsetoffset2category.txt'
_ROW = 'lines of seven numbers x y z nx ny nz part'


def read_text_layout(
    root: Path, lists: tuple[str, ...], cache: Path, num_workers: int, fix: str
) -> Records:
    """Read the shapes of some lists from the text layout.

    Args:
        root: Directory with ``synsetoffset2category.txt``, ``train_test_split`` and a folder per
            synset.
        lists: ``'train'``, ``'val'`` or ``'test'``; those of ``'val'`` are marked in the result.
        cache: Directory for the parsed arrays. They are parsed again when a file has changed size
            or time, or when the lists change.
        num_workers: Processes that parse; 0: this one.
        fix: How to get good files, for messages.

    Returns:
        Records with ``normals`` and ``part_labels``, clouds of different sizes.

    Raises:
        DataError: A file is missing or malformed.
    """
    _check_categories(root / CATEGORIES, fix)
    names, marks = [], []
    for which in lists:
        listing = root / 'train_test_split' / f'shuffled_{which}_file_list.json'
        found = _listed(listing, fix)
        names += found
        marks += [which == 'val'] * len(found)
    twice = len(names) - len(set(names))
    if twice:
        raise DataError(root / 'train_test_split', f'{twice} shapes twice', 'each once', fix)
    paths = [root / f'{name}.txt' for name in names]
    sources = dict(format=1, files=[_identity(path, name, fix) for path, name in zip(paths, names)])

    @memo
    def parsed() -> tuple[np.ndarray, np.ndarray]:
        return _parse(paths, num_workers, fix)

    stem = '-'.join(lists)
    rows = cached_array(cache / f'{stem}_rows.npy', sources, lambda: parsed()[0])
    counts = cached_array(cache / f'{stem}_counts.npy', sources, lambda: parsed()[1])
    ends = np.cumsum(counts)[:-1]

    def split(values: np.ndarray) -> list[np.ndarray]:
        return np.split(np.ascontiguousarray(values), ends)

    synsets = list(SHAPENET_PART)
    return Records(
        split(rows[:, :3]),
        np.array([synsets.index(name[:8]) for name in names], np.int64),
        names,
        dict(normals=split(rows[:, 3:6]), part_labels=split(rows[:, 6].astype(np.int16))),
        str(root / 'train_test_split' / f'shuffled_{lists[0]}_file_list.json'),
        np.array(marks),
    )


def read_shape(path: Path, fix: str) -> np.ndarray:
    """Return the rows (N, 7) float32 of a text file.

    Raises:
        DataError: The file is missing or malformed, or a number is not finite or a part not whole.
    """
    with reading(path, _ROW, fix):
        rows = np.loadtxt(path, dtype=np.float32, ndmin=2)
    if rows.size == 0 or rows.shape[1] != 7:
        raise DataError(path, f'{rows.shape[1] if rows.size else 0} columns', _ROW, fix)
    good = np.isfinite(rows).all(axis=1)
    good &= rows[:, 6] == np.clip(np.floor(rows[:, 6]), -(2**15), 2**15 - 1)
    if not good.all():
        line = int(np.flatnonzero(~good)[0]) + 1
        raise DataError(path, f'a wrong number in line {line}', _ROW, fix)
    return rows


def _check_categories(path: Path, fix: str) -> None:
    """Raise :class:`DataError` unless the file names the synsets as we know them."""
    for line in read_lines(path, '<category> <synset>, one a line', fix):
        name, _, synset = line.replace('\t', ' ').partition(' ')
        known = SHAPENET_PART.get(synset.strip(), ('',))[0]
        if name.lower() != known:
            raise DataError(path, f"'{line}'", "one of ShapeNetPart's categories, a synset", fix)


def _listed(path: Path, fix: str) -> list[str]:
    """Return the names ``<synset>/<shape>`` of a list of ``shape_data/<synset>/<shape>``."""
    entries = read_json(path, 'a list of shape_data/<synset>/<shape>', fix)
    if not isinstance(entries, list) or not entries:
        raise DataError(path, 'no list of names', 'a list of shape_data/<synset>/<shape>', fix)
    names = []
    for entry in entries:
        parts = PurePosixPath(entry).parts if isinstance(entry, str) else ()
        if len(parts) != 3 or parts[1] not in SHAPENET_PART or parts[2] == '..':
            raise DataError(path, f'{entry!r}', 'shape_data/<synset>/<shape>', fix)
        names.append(f'{parts[1]}/{parts[2]}')
    return names


def _identity(path: Path, name: str, fix: str) -> list:
    stat = require_file(path, f'a text file with {_ROW}', fix).stat()
    return [name, stat.st_size, stat.st_mtime_ns]


def _parse(paths: list[Path], num_workers: int, fix: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of all files (total, 7), one after the other, and how many each has."""
    read = partial(read_shape, fix=fix)
    bar = partial(progress_bar, desc='Parsing shapes', total=len(paths), unit='file')
    if num_workers == 0:
        parts = list(bar(map(read, paths)))
    else:
        size = max(1, min(16, len(paths) // num_workers))
        with process_pool(min(num_workers, len(paths))) as pool:
            parts = list(bar(pool.map(read, paths, chunksize=size)))
    return np.concatenate(parts), np.array([len(part) for part in parts])
