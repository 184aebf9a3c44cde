"""ShapeNet-55 as 8,192 points per shape, in npy files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import SHAPENET55
from pcdet_kd.datasets.files import read_lines, read_npy, require_directory
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.progress import progress_bar

_FIX = (
    'get ShapeNet55-34 as linked in github.com/Julie-tang00/Point-BERT/blob/master/DATASET.md, '
    'then data_root=<path>/ShapeNet55-34'
)
_POINTS = 'points (n, 3)'


@DATASETS.register_module()
class ShapeNet55(PointCloudDataset):
    """The shapes of ShapeNetCore's 55 categories (Chang et al., 2015) as Point-BERT and Point-MAE
    use them for pre-training.

    ``data_root`` holds ``ShapeNet-55/train.txt`` (41,952 names) and ``ShapeNet-55/test.txt``
    (10,518 names), each line ``<synset>-<model>.npy``, and these files in ``shapenet_pc``: an array
    (8192, 3) each, y up, not normalised. The class is the synset. Point-MAE pre-trains on the
    training list, AsymDSD on all 52,470 shapes.

    All clouds are held in memory: the training part takes 4.1 GB. ``pcdet-kd pack`` makes a
    :class:`~pcdet_kd.datasets.point_store.PointStore` of them, which is read piece by piece and
    opens at once. The same command makes a store of ShapeNetCore's meshes.

    Args:
        data_root: Directory of the files.
        train_lists: The lists that make up the official training set; ``('train', 'test')`` is
            every shape, for training without labels.
        options: More arguments of :class:`PointCloudDataset`.

    Raises:
        DataError: A file is missing or malformed, a name has no known synset, or the clouds differ
            in their number of points.
    """

    METAINFO = dict(
        classes=tuple(SHAPENET55.values()),
        synsets=tuple(SHAPENET55),
        up_axis='y',
        task='classification',
    )

    def __init__(
        self, data_root: str, train_lists: Sequence[str] = ('train',), **options: Any
    ) -> None:
        known = ('train', 'test')
        if not train_lists or not set(train_lists) <= set(known):
            raise ValueError(f'train_lists is {tuple(train_lists)}, must be some of {known}')
        self.train_lists = tuple(dict.fromkeys(train_lists))
        super().__init__(data_root=data_root, **options)

    def load_records(self) -> Records:
        root = require_directory(
            self.data_root, 'ShapeNet-55/train.txt, ShapeNet-55/test.txt and shapenet_pc', _FIX
        )
        lists = ('test',) if self.official_split == 'test' else self.train_lists
        listings = [root / 'ShapeNet-55' / f'{name}.txt' for name in lists]
        names, labels = [], []
        for listing in listings:
            for name in read_lines(listing, '<synset>-<model>.npy, one a line', _FIX):
                labels.append(self._label(listing, name))
                names.append(name)
        twice = len(names) - len(set(names))
        if twice:
            raise DataError(listings[-1], f'{twice} names of {listings[0]}', 'other names', _FIX)
        folder = require_directory(root / 'shapenet_pc', 'a npy file for every listed name', _FIX)
        bar = progress_bar(names, desc=f'Reading {self.official_split} shapes', unit='file')
        points = np.empty((0, 0, 3), np.float32)
        for i, name in enumerate(bar):
            cloud = read_npy(folder / name, _POINTS, _FIX)
            if cloud.ndim != 2 or cloud.shape[1] != 3:
                raise DataError(folder / name, f'an array of shape {cloud.shape}', _POINTS, _FIX)
            if i == 0:
                points = np.empty((len(names), len(cloud), 3), np.float32)
            if len(cloud) != points.shape[1]:
                raise DataError(
                    folder / name,
                    f'{len(cloud)} points',
                    f'{points.shape[1]}, as in {names[0]}',
                    _FIX,
                )
            points[i] = cloud
        ids = [name.removesuffix('.npy') for name in names]
        return Records(points, np.array(labels, np.int64), ids, source=str(listings[0]))

    def _label(self, listing: Path, name: str) -> int:
        synset = name.partition('-')[0]
        synsets = self.metainfo['synsets']
        if synset not in synsets or not name.endswith('.npy') or '/' in name or '\\' in name:
            raise DataError(
                listing, f"'{name}'", "<synset>-<model>.npy with one of ShapeNet's synsets", _FIX
            )
        return synsets.index(synset)
