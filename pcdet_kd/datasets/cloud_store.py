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

from pcdet_kd.datasets.files import read_json, require_directory, require_file
from pcdet_kd.utils.errors import DataError

FORMAT = 1
SHARD_FILES = ('.json', '.npy', '.npz')
PLAN, STORE = 'plan.json', 'store.json'
DTYPES = ('float32', 'float16', 'int16')
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
    return _read(path, f'remove {path} and run pcdet-kd pack again')


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
        self._check()
        self._open()

    def _open(self) -> None:
        self.source = str(self.root)
        self.offsets, self.labels, self._boxes, self._ids, self._id_offsets = (
            np.load(self.root / f'{name}.npy', mmap_mode='r') for name in INDEX
        )
        self._first = np.cumsum([0, *(clouds for clouds, _, _ in self.info['shards'])])
        self._first_point = np.cumsum([0, *(points for _, points, _ in self.info['shards'])])
        self._shards: OrderedDict[int, np.ndarray] = OrderedDict()

    def _check(self) -> None:
        fix = self.info['command']
        for shard, (_, points, size) in enumerate(self.info['shards']):
            path = shard_file(self.root, shard)
            found = require_file(path, f'{points:,} points', fix).stat().st_size
            if found != size:
                raise DataError(path, f'{found:,} bytes', f'{size:,}', fix)
        for name in INDEX:
            require_file(self.root / f'{name}.npy', 'an array of the index', fix)

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
            self._shards[shard] = np.load(shard_file(self.root, shard), mmap_mode='r')
        self._shards.move_to_end(shard)
        return self._shards[shard]

    def name(self, i: int) -> str:
        """Return the name of cloud i."""
        start, end = self._id_offsets[i : i + 2]
        return bytes(self._ids[start:end]).decode()

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
    return _read(root / STORE, 'make it with pcdet-kd pack')


def read_plan(root: Path) -> dict[str, Any]:
    """Return what ``plan.json`` of a store says.

    Raises:
        DataError: It is missing, damaged or of another version.
    """
    return _read(root / PLAN, f'remove {root}, then make it again with pcdet-kd pack')


def _read(path: Path, fix: str) -> dict[str, Any]:
    content = read_json(path, _WHAT, fix)
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise DataError(path, f'{json.dumps(content)[:80]}', f'"format": {FORMAT}', fix)
    return content
