"""ModelNet40 as 10,000 points with normals per shape, in text files."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.array_cache import cached_array
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.files import read_lines, reading, require_directory, require_file
from pcdet_kd.datasets.modelnet40 import check_class_names
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.arguments import check_at_least
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.processes import process_pool
from pcdet_kd.utils.progress import progress_bar

URL = 'https://shapenet.cs.stanford.edu/media/modelnet40_normal_resampled.zip'


@DATASETS.register_module()
class ModelNet40Resampled(PointCloudDataset):
    """ModelNet40 in the layout ``modelnet40_normal_resampled`` (Qi et al., PointNet++, NeurIPS
    2017).

    ``data_root`` holds ``modelnet40_shape_names.txt``, ``modelnet40_train.txt`` (9,843 names),
    ``modelnet40_test.txt`` (2,468 names) and, per shape, ``<class>/<name>.txt``: 10,000 lines
    ``x,y,z,nx,ny,nz``. The class is the name without its number. The y axis is up; coordinates are
    as stored (roughly a unit sphere).

    Text is slow to read (minutes), so the first ``num_points`` rows of all shapes of a split are
    parsed once, in parallel, into one array in ``cache_dir``, which later runs load. It is parsed
    again when a source file has changed size or time, when the lists or ``num_points`` change, or
    when its bytes are damaged.

    Args:
        data_root: Directory of the files.
        num_points: How many rows of each file are kept, from the first.
        with_normals: Whether samples have ``normals``.
        cache_dir: Directory of the parsed array. None: ``data_root/.pcdet_kd_cache``.
        num_workers: Processes that parse; 0 parses in this one. None: one per CPU core, at most 8.
        options: Arguments of :class:`PointCloudDataset`.

    Raises:
        DataError: A file is missing or malformed, has fewer than ``num_points`` rows, or the cache
            cannot be written.
    """

    METAINFO = dict(classes=MODELNET40, up_axis='y', task='classification')

    def __init__(
        self,
        data_root: str,
        num_points: int = 1024,
        with_normals: bool = False,
        cache_dir: str | None = None,
        num_workers: int | None = None,
        **options: Any,
    ) -> None:
        check_at_least('num_points', num_points)
        self.num_points = num_points
        self.with_normals = with_normals
        self.cache_dir = cache_dir
        self.num_workers = min(os.cpu_count() or 1, 8) if num_workers is None else num_workers
        super().__init__(
            data_root=data_root,
            **options,
        )

    def load_records(self) -> Records:
        root = Path(self.data_root).expanduser()
        fix = (
            f'pcdet-kd download modelnet40-resampled ({URL}), then '
            'data_root=<path>/modelnet40_normal_resampled; that host is often down; users report '
            'a mirror: chenxaoyu/modelnet-normal-resampled on Kaggle'
        )
        require_directory(
            root,
            'modelnet40_train.txt, modelnet40_test.txt and a folder of text files per class',
            fix,
        )
        classes = list(self.metainfo['classes'])
        check_class_names(root / 'modelnet40_shape_names.txt', classes, fix, required=True)
        listing = root / f'modelnet40_{self.official_split}.txt'
        names = read_lines(listing, 'shape names, one a line', fix)
        class_of = {name: name.rpartition('_')[0] for name in names}
        for name in names:
            if class_of[name] not in classes:
                raise DataError(
                    listing, f"'{name}'", '<class>_<number> with one of the class names', fix
                )
        paths = [root / class_of[name] / f'{name}.txt' for name in names]
        sources = dict(
            format=1, rows=self.num_points, files=[_identity(path, fix) for path in paths]
        )
        cache = Path(self.cache_dir).expanduser() if self.cache_dir else root / '.pcdet_kd_cache'
        cache = cache / f'{self.official_split}_{self.num_points}.npy'
        array = cached_array(cache, sources, lambda: self._parse(paths, fix))
        extras = {'normals': np.ascontiguousarray(array[..., 3:])} if self.with_normals else {}
        return Records(
            np.ascontiguousarray(array[..., :3]),
            np.array([classes.index(class_of[name]) for name in names], dtype=np.int64),
            names,
            extras,
            str(listing),
        )

    def _parse(self, paths: list[Path], fix: str) -> np.ndarray:
        read = partial(read_rows, count=self.num_points, fix=fix)
        out = np.empty((len(paths), self.num_points, 6), dtype=np.float32)
        title = f'Parsing {self.official_split} shapes'
        results = self._results(read, paths)
        for i, rows in enumerate(progress_bar(results, desc=title, total=len(paths), unit='file')):
            out[i] = rows
        return out

    def _results(self, read: Callable[[Path], np.ndarray], paths: list[Path]) -> Iterator:
        if self.num_workers == 0:
            yield from map(read, paths)
            return
        size = max(1, min(16, len(paths) // self.num_workers))
        with process_pool(min(self.num_workers, len(paths))) as pool:
            yield from pool.map(read, paths, chunksize=size)


def _identity(path: Path, fix: str) -> list:
    stat = require_file(path, 'a text file with lines x,y,z,nx,ny,nz', fix).stat()
    return [f'{path.parent.name}/{path.name}', stat.st_size, stat.st_mtime_ns]


def read_rows(path: Path, count: int, fix: str) -> np.ndarray:
    """Return the first ``count`` rows (count, 6) float32 of a text file of comma-separated numbers.

    Raises:
        DataError: The file is missing or malformed, a row has not six finite numbers, or there are
            too few rows.
    """
    expected = f'at least {count} lines of six numbers x,y,z,nx,ny,nz'
    with reading(path, expected, fix):
        rows = np.loadtxt(path, delimiter=',', dtype=np.float32, max_rows=count, ndmin=2)
    if rows.size == 0 or rows.shape[1] != 6:
        raise DataError(
            path, f'{rows.shape[1] if rows.size else 0} columns', 'six columns x,y,z,nx,ny,nz', fix
        )
    if len(rows) < count:
        raise DataError(
            path, f'{len(rows)} lines', expected, f'{fix}; or pass num_points={len(rows)} or less'
        )
    if not np.isfinite(rows).all():
        line = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]) + 1
        raise DataError(path, f'NaN or infinity in line {line}', 'finite numbers', fix)
    return rows
