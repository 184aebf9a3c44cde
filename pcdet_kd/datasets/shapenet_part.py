"""ShapeNetPart: shapes of 16 categories whose points are labelled by part."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import SHAPENET_PART, number_parts
from pcdet_kd.datasets.files import read_listed_h5, require_directory
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.shapenet_part_text import CATEGORIES, read_text_layout
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError

HOST = 'https://shapenet.cs.stanford.edu/media'
H5_LIST = '{}_hdf5_file_list.txt'
_TEXT_FIX = (
    f'pcdet-kd download shapenetpart (from {HOST}), '
    'then data_root=<path>/shapenetcore_partanno_segmentation_benchmark_v0_normal; that host is '
    'often down, mirrors are on Kaggle'
)
_H5_FIX = (
    f'pcdet-kd download shapenetpart-h5 (from {HOST}), then data_root=<path>/'
    'hdf5_data; that host is often down, mirrors are on Kaggle'
)
_FIX = (
    f'pcdet-kd download shapenetpart (text files) or shapenetpart-h5 (HDF5 files), from {HOST}, '
    'and set data_root to its folder; that host is often down, mirrors are on Kaggle'
)


@DATASETS.register_module()
class ShapeNetPart(PointCloudDataset):
    """ShapeNetPart (Yi et al., SIGGRAPH Asia 2016): 16 categories, 50 parts, 12,137 training, 1,870
    validation and 2,874 test shapes.

    ``data_root`` holds one of two layouts, which is recognised by its files:

    * ``shapenetcore_partanno_segmentation_benchmark_v0_normal``, with all points of each shape:
      ``synsetoffset2category.txt``, ``train_test_split/shuffled_{train,val,test}_file_list.json``
      and ``<synset>/<name>.txt`` with lines ``x y z nx ny nz part``. Text is slow to read
      (minutes), so it is parsed once into arrays in ``cache_dir``.
    * PointNet's HDF5 files, with 2,048 points of each shape:
      ``{train,val,test}_hdf5_file_list.txt`` and the files that they list, with ``data`` (n, N, 3),
      ``label`` (n, 1) and ``pid`` (n, N).

    The split ``'train'`` is the official training list, ``'val'`` the official validation list, and
    ``'trainval'`` both; with ``val_fraction`` > 0, ``'val'`` is taken from both at random instead.
    Most published results trained on ``'trainval'``. The y axis is up; coordinates are as stored
    (published recipes scale them to the unit sphere or leave them).

    Samples have ``part_labels`` (N,): numbers from 0 to 49, those of a category in sequence, as
    ``metainfo['class_parts']`` says. In text files the number of points differs from shape to shape
    (2,600 on average).

    Args:
        data_root: Directory of the files.
        with_normals: Whether samples have ``normals``; text files only.
        cache_dir: Directory of the parsed arrays. None: ``data_root/.pcdet_kd_cache``.
        num_workers: Processes that parse; 0 parses in this one. None: one per CPU core, at most 8.
        options: Arguments of :class:`PointCloudDataset`.

    Raises:
        DataError: A file is missing or malformed, or a part does not belong to the shape's
            category.
    """

    METAINFO = dict(
        classes=tuple(name for name, _ in SHAPENET_PART.values()),
        synsets=tuple(SHAPENET_PART),
        part_names=tuple(
            f'{name}/{part}' for name, parts in SHAPENET_PART.values() for part in parts
        ),
        class_parts=number_parts(parts for _, parts in SHAPENET_PART.values()),
        up_axis='y',
        task='part_segmentation',
    )
    OFFICIAL_VAL = True

    def __init__(
        self,
        data_root: str,
        with_normals: bool = False,
        cache_dir: str | None = None,
        num_workers: int | None = None,
        **options: Any,
    ) -> None:
        self.with_normals = with_normals
        self.cache_dir = cache_dir
        self.num_workers = min(os.cpu_count() or 1, 8) if num_workers is None else num_workers
        super().__init__(data_root=data_root, **options)

    def load_records(self) -> Records:
        lists = ('test',) if self.official_split == 'test' else ('train', 'val')
        root = require_directory(
            self.data_root, f'{CATEGORIES}, or {H5_LIST.format("train")}', _FIX
        )
        if (root / CATEGORIES).is_file():
            cache = Path(self.cache_dir).expanduser() if self.cache_dir else None
            cache = cache or root / '.pcdet_kd_cache'
            records = read_text_layout(root, lists, cache, self.num_workers, _TEXT_FIX)
            if not self.with_normals:
                del records.extras['normals']
        elif (root / H5_LIST.format('train')).is_file():
            if self.with_normals:
                raise DataError(root, 'HDF5 files, which have no normals', 'text files', _TEXT_FIX)
            records = _read_h5_layout(root, lists)
        else:
            there = ', '.join(sorted(os.listdir(root))[:8]) or 'nothing'
            wanted = f'{CATEGORIES} (text files) or {H5_LIST.format("train")} (HDF5 files)'
            raise DataError(root, f'a directory with {there}', wanted, _FIX)
        _check_parts(records, self.METAINFO['class_parts'])
        return records


def _read_h5_layout(root: Path, lists: tuple[str, ...]) -> Records:
    shapes = dict(data=(None, None, 3), label=None, pid=(None, None))
    parts = [read_listed_h5(root / H5_LIST.format(name), shapes, {}, _H5_FIX) for name in lists]
    sizes = {arrays['data'].shape[1] for arrays, _ in parts}
    if len(sizes) > 1:
        raise DataError(
            root / H5_LIST.format(lists[-1]),
            f'clouds of {max(sizes)} points and of {min(sizes)}',
            f'clouds of one size in {" and ".join(lists)}',
            _H5_FIX,
        )
    arrays = {key: np.concatenate([found[key] for found, _ in parts]) for key in shapes}
    marks = np.concatenate(
        [np.full(len(ids), name == 'val') for name, (_, ids) in zip(lists, parts)]
    )
    return Records(
        arrays['data'].astype(np.float32, copy=False),
        arrays['label'],
        [name for _, ids in parts for name in ids],
        dict(part_labels=arrays['pid'].astype(np.int16)),
        str(root / H5_LIST.format(lists[0])),
        marks,
    )


def _check_parts(records: Records, class_parts: tuple[tuple[int, ...], ...]) -> None:
    """Raise :class:`DataError` if a point's part is not one of its shape's category."""
    for name, label, parts in zip(records.ids, records.labels, records.extras['part_labels']):
        if not 0 <= label < len(class_parts):
            return  # the check of all records names it
        low, high = class_parts[label][0], class_parts[label][-1]
        wrong = parts[(parts < low) | (parts > high)]
        if len(wrong):
            raise DataError(
                f"{records.source}, sample '{name}'",
                f'part {wrong[0]}',
                f'parts {low} to {high}, those of category {label}',
                'download the files again',
            )
