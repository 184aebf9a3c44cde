"""The few-shot tasks on ModelNet40 that Point-BERT published."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.array_pickle import read_array_pickle
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.files import require_directory
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError

_FIX = (
    'get ModelNetFewshot as linked in github.com/Julie-tang00/Point-BERT/blob/master/DATASET.md, '
    'then data_root=<path>/ModelNetFewshot'
)
_CONTENTS = (
    "a pickled dict of 'train' and 'test': lists of (points (n, 6), label 0 to way - 1, class)"
)


@DATASETS.register_module()
class PointBERTFewShot(PointCloudDataset):
    """One of the few-shot tasks of Point-BERT's release (Yu et al., CVPR 2022) on ModelNet40.

    ``data_root`` holds ``<way>way_<shot>shot/<fold>.pkl`` with 10 folds each of 5 or 10 ways and 10
    or 20 shots: way * shot clouds of the training set and way * 20 of the test set, 8,192 points
    with normals each. The columns are (x, z, y), z up, as the published evaluations take them: this
    mirrors the shapes. No code in the files is run.

    Args:
        data_root: Directory of the files.
        way, shot, fold: Which task.
        options: More arguments of :class:`PointCloudDataset`.

    Raises:
        DataError: The file is missing or malformed.
    """

    METAINFO = dict(up_axis='z', task='classification')

    def __init__(
        self, data_root: str, way: int = 5, shot: int = 10, fold: int = 0, **options: Any
    ) -> None:
        self.way, self.shot, self.number = way, shot, fold
        metainfo = dict(classes=tuple(self.class_names(dict(way=way))))
        super().__init__(data_root=data_root, metainfo=metainfo, **options)

    @classmethod
    def class_names(cls, config: Mapping[str, Any]) -> Sequence[str]:
        """Return ``class 0`` ...: a task has its own numbers."""
        return [f'class {i}' for i in range(config.get('way', 5))]

    def load_records(self) -> Records:
        root = require_directory(self.data_root, '5way_10shot/0.pkl and so on', _FIX)
        path = root / f'{self.way}way_{self.shot}shot' / f'{self.number}.pkl'
        content = read_array_pickle(path, _CONTENTS, _FIX)
        rows = content.get(self.official_split) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not rows:
            raise DataError(path, f"no list '{self.official_split}'", _CONTENTS, _FIX)
        points, labels = zip(*(self._checked(path, i, row) for i, row in enumerate(rows)))
        sizes = {len(cloud) for cloud in points}
        if len(sizes) > 1:
            raise DataError(path, f'clouds of {sorted(sizes)} points', 'clouds of one size', _FIX)
        stacked = np.stack(points).astype(np.float32)
        turned = stacked[..., [0, 2, 1]]
        extras = {'normals': stacked[..., [3, 5, 4]]} if stacked.shape[-1] == 6 else {}
        ids = [f'{self.official_split}/{i:03d}' for i in range(len(rows))]
        return Records(turned, np.array(labels, np.int64), ids, extras, source=str(path))

    def _checked(self, path: Path, i: int, row: Any) -> tuple[np.ndarray, int]:
        if not isinstance(row, (tuple, list)) or len(row) < 2:
            raise DataError(f'{path}, cloud {i}', type(row).__name__, _CONTENTS, _FIX)
        cloud, label = row[0], np.asarray(row[1])
        if not isinstance(cloud, np.ndarray) or cloud.ndim != 2 or cloud.shape[1] not in (3, 6):
            found = f'points of shape {np.shape(cloud)}'
            raise DataError(f'{path}, cloud {i}', found, _CONTENTS, _FIX)
        if label.size != 1 or label.dtype.kind not in 'iu' or not 0 <= label.item() < self.way:
            found = f'label {str(row[1])[:40]}'
            raise DataError(f'{path}, cloud {i}', found, f'0 to {self.way - 1}', _FIX)
        return cloud, int(label.item())
