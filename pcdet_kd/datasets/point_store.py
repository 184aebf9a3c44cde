"""The data set of a store of clouds."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.cloud_store import STORE, CloudStore, read_info
from pcdet_kd.datasets.files import require_directory
from pcdet_kd.datasets.read_once import once
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.rows import Rows
from pcdet_kd.registry import DATASETS

_WHAT = 'a store of clouds'


@DATASETS.register_module()
class PointStore(PointCloudDataset):
    """A store that ``pcdet-kd pack`` has made: a million clouds that do not fit into memory, from
    meshes, point files or any data set.

    Clouds are read from the disk when they are asked for, see
    :mod:`~pcdet_kd.datasets.cloud_store`; they may differ in size. Classes and up axis are those
    of what was packed. Without classes, samples have no label.

    Args:
        data_root: The store.
        split: ``'trainval'``: all clouds; ``'train'`` and ``'val'``: parts of them, with
            ``val_fraction``. To test on a store, pack the test part alone and use ``'trainval'``.
        options: More arguments of :class:`PointCloudDataset`.

    Raises:
        DataError: There is no store, or it is not whole; names the command that makes the rest.
    """

    METAINFO = dict(task='classification')

    def __init__(
        self,
        data_root: str,
        split: str = 'trainval',
        metainfo: dict | None = None,
        **options: Any,
    ) -> None:
        if split == 'test':
            raise ValueError(
                "split is 'test', which a store does not have: pack the test part to a store of "
                "its own and read it with split='trainval'"
            )
        if 'allow_degenerate' in options:
            raise ValueError('allow_degenerate has no effect: pack leaves degenerate clouds out')
        info = read_info(require_directory(data_root, _WHAT, 'make it with pcdet-kd pack'))
        meta = dict(classes=tuple(info['classes'] or ()), up_axis=info['up_axis'])
        super().__init__(
            data_root=data_root, split=split, metainfo={**meta, **(metainfo or {})}, **options
        )

    @classmethod
    def class_names(cls, config: Mapping[str, Any]) -> Sequence[str] | None:
        root = Path(config.get('data_root', '')).expanduser()
        if super().class_names(config) or not (root / STORE).is_file():
            return super().class_names(config)
        return tuple(read_info(root)['classes'] or ()) or None

    def load_records(self) -> Records:
        raise TypeError('a PointStore is read piece by piece: its records are a CloudStore')

    def load_data_list(self) -> Rows:
        self.records = once((type(self), self._source), lambda: CloudStore(self.data_root))
        if self._unlabelled is not None:
            raise ValueError('a PointStore takes no unlabelled clouds: pack them into the store')
        stored = np.asarray(self.records.labels)
        chosen, self._labelled = self._choose(stored, self.records.name)
        return Rows(self._entry, len(chosen) if len(chosen) == len(stored) else chosen)

    def _entry(self, record: int) -> dict:
        entry = dict(record=record, sample_id=self.records.name(record))
        if self._labelled[record]:
            entry['gt_label'] = int(self.records.labels[record])
        return entry

    def labelled(self) -> np.ndarray:
        return self._labelled[self.data_list.numbers]

    def labels(self) -> np.ndarray:
        if not self.labelled().all():
            raise ValueError(f'{self.data_root} has clouds without a label')
        return np.asarray(self.records.labels)[self.data_list.numbers].astype(np.int64)

    def _content(self) -> Iterator[str | np.ndarray]:
        yield self.records.info['sha256']
        yield self.data_list.numbers
        yield self.labelled()
        yield from self._content_of_transforms()
