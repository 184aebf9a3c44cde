"""Many clouds in few files, read piece by piece: the stored form of a data set.

A store is a folder. ``shards/00003.npy`` (P, 3) holds the points of up to some thousand clouds one
after the other. The index of all clouds is in arrays beside it: ``offsets.npy`` (n + 1,) int64
counts points over all shards, ``labels.npy`` (n,) int32 (-1: none), ``boxes.npy`` (n, 4) float32,
``ids.npy`` with the names as UTF-8 and ``id_offsets.npy`` (n + 1,) int64. ``plan.json`` says what
the store will hold, and ``store.json``, which is written last, what it holds. All arrays are mapped
from the disk.

Plain NumPy files and not zarr: a random cloud of 16,384 points in int16 takes 0.13 ms from the
system's cache and 0.38 ms from the disk, with zarr 0.86 ms and 1.0 ms at best
(``python benchmarks/cloud_store.py``, 2,000 clouds, zarr 3.1.6, one thread).
"""

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from pcdet_kd.datasets.files import read_json, reading, require_directory, require_file
from pcdet_kd.utils.errors import DataError

FORMAT = 1
SHARD_FILES = ('.json', '.npy', '.npz')
PLAN, STORE = 'plan.json', 'store.json'
DTYPES = ('float32', 'float16', 'int16')
REPORT = dict(clouds=int, points=int, bytes=int, sha256=str, left_out=list)
MAX_OPEN = 64
INDEX = ('offsets', 'labels', 'boxes', 'ids', 'id_offsets')
_STEPS = 32767  # int16: from the middle of a cloud to its farthest coordinate
_WHAT = 'a store of clouds, made by pcdet-kd pack'


def encode(points: np.ndarray, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a cloud (N, 3) float32 as it is stored, and its box (4,) float32: centre and half its
    largest side.

    ``'float32'`` keeps the numbers. The others store each cloud relative to its box and are off, in
    each coordinate, by at most 1/4096 (``'float16'``) or 1/65534 (``'int16'``) of half its largest
    side, besides the rounding of float32.
    """
    if dtype == 'float32':
        return points.astype(np.float32, copy=False), np.array([0, 0, 0, 1], np.float32)
    centre = ((points.min(0).astype(np.float64) + points.max(0)) / 2).astype(np.float32)
    offset = points.astype(np.float64) - centre
    half = np.nextafter(np.float32(np.abs(offset).max()), np.float32(np.inf))
    relative = offset / half
    stored = np.round(relative * _STEPS) if dtype == 'int16' else relative
    return stored.astype(dtype), np.append(centre, half).astype(np.float32)


def decode(stored: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return a cloud (N, 3) float32 from what :func:`encode` returned."""
    if stored.dtype == np.float32:
        return stored
    scale = box[3] / np.float32(_STEPS) if stored.dtype == np.int16 else box[3]
    points = stored.astype(np.float32)
    points *= scale
    for axis in range(3):  # by columns: adding rows of three is three times slower
        points[:, axis] += box[axis]
    return points


def shard_file(root: Path, shard: int, suffix: str = '.npy') -> Path:
    """Return the file of a shard's points, or another file of it."""
    return root / 'shards' / f'{shard:05d}{suffix}'


def missing_shards(root: Path, plan: dict) -> list[int]:
    """Return which shards of a plan are not finished, or have lost a file."""
    return [shard for shard in range(plan['num_shards']) if not _is_finished(root, shard)]


def _is_finished(root: Path, shard: int) -> bool:
    report, points, index = (shard_file(root, shard, suffix) for suffix in SHARD_FILES)
    if not (report.is_file() and points.is_file() and index.is_file()):
        return False
    return points.stat().st_size == read_report(root, shard)['bytes']


def read_report(root: Path, shard: int) -> dict[str, Any]:
    """Return what the report of a shard says.

    Raises:
        DataError: It is missing or damaged.
    """
    path = shard_file(root, shard, '.json')
    fix = f'remove {path} and run pcdet-kd pack again'
    report = _read(path, fix)
    for key, kind in REPORT.items():
        if not isinstance(report.get(key), kind):
            raise DataError(path, f'"{key}": {report.get(key)}', f'a {kind.__name__}', fix)
    return report


class CloudStore:
    """The clouds of a store, by number; it takes the place of
    :class:`~pcdet_kd.datasets.base.Records`.

    Memory holds what the system keeps of the mapped files, which it may drop at any time. At most
    ``MAX_OPEN`` shards are open. A copy, or the store in another process, maps the same files.

    Args:
        root: The folder.

    Raises:
        DataError: There is no store, it is not whole, or a file has the wrong size.
    """

    extras: dict = {}

    def __init__(self, root: str | Path) -> None:
        self.root = require_directory(root, _WHAT, 'make it with pcdet-kd pack').absolute()
        self.info = read_info(self.root)
        with reading(self.root / STORE, _WHAT, str(self.info.get('command'))):
            self._open()
            for shard, (_, points, size) in enumerate(self.info['shards']):
                path = shard_file(self.root, shard)
                file = require_file(path, f'{points:,} points', self.info['command'])
                if (found := file.stat().st_size) != size:
                    raise DataError(path, f'{found:,} bytes', f'{size:,}', self.info['command'])
        classes = len(self.info['classes'] or ())
        if n := np.count_nonzero((self.labels < -1) | (self.labels >= classes)):
            raise self._damaged(self.root / 'labels.npy', f'{n} labels outside {classes} classes')
        starts = (self.offsets, self._id_offsets)
        if any(array[0] != 0 or (np.diff(array) < 0).any() for array in starts):
            raise self._damaged(self.root / 'offsets.npy', 'offsets that are out of order')

    def _open(self) -> None:
        self.source = str(self.root)
        clouds, points, _ = zip(*self.info['shards'])
        self._first = np.cumsum([0, *clouds])
        self._first_point = np.cumsum([0, *points])
        n = self.info['clouds']
        if self._first[-1] != n:
            raise self._damaged(self.root / STORE, f'{self._first[-1]} clouds in shards, not {n}')
        self.offsets, self.labels, self._boxes, self._ids, self._id_offsets = (
            self._map(self.root / f'{name}.npy', dtype, shape)
            for name, dtype, shape in zip(
                INDEX,
                (np.int64, np.int32, np.float32, np.uint8, np.int64),
                ((n + 1,), (n,), (n, 4), None, (n + 1,)),
            )
        )
        ends = (self.offsets[-1], self._id_offsets[-1])
        if ends != (self._first_point[-1], len(self._ids)):
            raise self._damaged(self.root / 'offsets.npy', f'ends at {ends}')
        self._shards: OrderedDict[int, np.ndarray] = OrderedDict()

    def _map(self, path: Path, dtype: np.dtype | str, shape: tuple | None) -> np.ndarray:
        expected = f'an array of {np.dtype(dtype)} {shape or ""}'
        with reading(path, expected, self.info['command']):
            array = npy_format.open_memmap(path, mode='r')
        if array.dtype != dtype or (shape is not None and array.shape != shape):
            raise self._damaged(path, f'{array.dtype} {array.shape}, not {expected}')
        return array

    def _damaged(self, path: Path, found: str) -> DataError:
        return DataError(
            path, found, _WHAT, f'remove the damaged file, then: {self.info["command"]}'
        )

    def __len__(self) -> int:
        return self.info['clouds']

    def __getitem__(self, i: int) -> np.ndarray:
        """Return the points (N, 3) of cloud i, float32 and read-only."""
        i = int(i)
        if not 0 <= i < len(self):
            raise IndexError(f'cloud {i} of {len(self)}')
        shard = int(np.searchsorted(self._first, i, side='right')) - 1
        start, end = (int(self.offsets[k] - self._first_point[shard]) for k in (i, i + 1))
        points = decode(np.asarray(self._shard(shard)[start:end]), self._boxes[i])
        if not (len(points) and np.isfinite(points.sum())):
            path = shard_file(self.root, shard)
            raise self._damaged(path, f'{len(points)} points of cloud {i}, not all finite')
        points.flags.writeable = False
        return points

    @property
    def points(self) -> 'CloudStore':
        """The clouds themselves, under the name that records have."""
        return self

    def _shard(self, shard: int) -> np.ndarray:
        if shard not in self._shards:
            if len(self._shards) >= MAX_OPEN:
                self._shards.popitem(last=False)
            self._shards[shard] = self._map(
                shard_file(self.root, shard),
                self.info['dtype'],
                (self.info['shards'][shard][1], 3),
            )
        self._shards.move_to_end(shard)
        return self._shards[shard]

    def name(self, i: int) -> str:
        """Return the name of cloud i."""
        start, end = self._id_offsets[i : i + 2]
        return bytes(self._ids[start:end]).decode(errors='replace')

    def __getstate__(self) -> dict:
        return dict(root=self.root, info=self.info)

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._open()

    def __deepcopy__(self, memo: dict) -> 'CloudStore':
        return self


def read_info(root: Path) -> dict[str, Any]:
    """Return what ``store.json`` of a store says.

    Raises:
        DataError: There is no store, or it is not whole: which shards are missing, and the command
            that makes them.
    """
    if not (root / STORE).is_file() and (root / PLAN).is_file():
        plan = read_plan(root)
        missing = missing_shards(root, plan)
        found = (
            f'{len(missing)} of {plan["num_shards"]} shards are missing: '
            f'{", ".join(map(str, missing[:8]))}{", ..." if len(missing) > 8 else ""}'
            if missing
            else 'all shards but no index of them'
        )
        raise DataError(root, found, 'a whole store', plan['command'])
    fix = 'make it with pcdet-kd pack'
    info = _read(root / STORE, fix)
    _check_description(root / STORE, info, f'remove it, then {fix}')
    return info


def read_plan(root: Path) -> dict[str, Any]:
    """Return what ``plan.json`` of a store says.

    Raises:
        DataError: It is missing, damaged or of another version.
    """
    fix = f'remove {root}, then make it again with pcdet-kd pack'
    plan = _read(root / PLAN, fix)
    _check_description(root / PLAN, plan, fix)
    if not isinstance(plan.get('num_shards'), int):
        raise DataError(root / PLAN, f'"num_shards": {plan.get("num_shards")}', 'a number', fix)
    return plan


def _read(path: Path, fix: str) -> dict[str, Any]:
    content = read_json(path, _WHAT, fix)
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise DataError(path, f'{json.dumps(content)[:80]}', f'"format": {FORMAT}', fix)
    return content


def _check_description(path: Path, content: dict, fix: str) -> None:
    """Raise :class:`DataError` if what a store and a plan have in common is damaged."""
    classes = content.get('classes', 0)
    good = dict(
        dtype=content.get('dtype') in DTYPES,
        up_axis=content.get('up_axis') in ('x', 'y', 'z'),
        command=isinstance(content.get('command'), str),
        classes=classes is None
        or (isinstance(classes, list) and all(isinstance(name, str) for name in classes)),
    )
    for key, is_good in good.items():
        if not is_good:
            raise DataError(path, f'"{key}": {str(content.get(key))[:60]}', _WHAT, fix)
