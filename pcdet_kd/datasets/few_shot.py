"""Few-shot tasks from any data set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.splits import Fold, few_shot_fold
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError

REST = 'rest'


@DATASETS.register_module()
class FewShotFold(PointCloudDataset):
    """A few-shot task: some classes of a data set, and few clouds of each to train with.

    The task is drawn from ``seed`` and ``fold``; classes and clouds are the same on every machine.
    Split ``'train'`` (or ``'trainval'``) has the shots, ``'test'`` the test clouds. With ``way``
    the labels are 0 to way - 1, in the order in which the classes were drawn; without, they are
    those of the data set.

    Args:
        dataset: Config of the data set, without ``split``, ``pipeline`` and validation part.
        shot: Training clouds per class, from the official training set.
        way: Classes; None: all with enough clouds.
        fold: Number of the task.
        seed: Seed of all tasks.
        test_per_class: Test clouds per class; None: all.
        test_from: Where test clouds are from: ``'test'``, or ``'rest'``: the official training set
            without the shots, for data that have no test split (a :class:`PointStore`).
        options: ``split``, ``pipeline``, ``indices``: see :class:`PointCloudDataset`.

    Raises:
        DataError: Too few classes have enough clouds.
    """

    METAINFO = dict(task='classification')

    def __init__(
        self,
        dataset: Mapping[str, Any],
        shot: int,
        way: int | None = None,
        fold: int = 0,
        seed: int = 0,
        test_per_class: int | None = 20,
        test_from: str = 'test',
        **options: Any,
    ) -> None:
        if shot < 1 or (way is not None and way < 2) or fold < 0:
            raise ValueError(
                f'shot is {shot}, way {way} and fold {fold}, must be at least 1, 2 and 0'
            )
        check_choice('test_from', test_from, ('test', REST))
        inner = {k: v for k, v in dataset.items() if k not in ('split', 'val_fraction', 'pipeline')}
        self.way = way
        self._name = (
            f'{type(self).__name__} of {inner["type"]} {inner.get("data_root", "")}'.rstrip()
        )
        self._train = DATASETS.build({**inner, 'split': 'trainval'})
        test = DATASETS.build({**inner, 'split': 'test'}) if test_from == 'test' else None
        self._test = self._train if test is None else test
        self.fold = self._draw(test, shot, test_per_class, seed, fold)
        meta = self._train.metainfo
        names = meta['classes'] if way is None else [meta['classes'][c] for c in self.fold.classes]
        super().__init__(metainfo=dict(classes=tuple(names), up_axis=meta['up_axis']), **options)
        self._train = self._test = None  # all that is needed of them has been taken

    def _draw(self, test: Any, shot: int, per_class: int | None, seed: int, fold: int) -> Fold:
        labels = None if test is None else test.labels()
        try:
            return few_shot_fold(
                self._train.labels(), labels, shot, self.way, per_class, seed, fold
            )
        except ValueError as error:
            raise DataError(
                self._name,
                str(error),
                f'{self.way or "some"} classes of that size',
                'ask for fewer classes, shots or test clouds (way, shot, test_per_class)',
            ) from error

    @classmethod
    def class_names(cls, config: Mapping[str, Any]) -> Sequence[str] | None:
        """Return the classes that a config describes; with ``way``, only their number is known."""
        if config.get('way') is not None:
            return [f'class {i}' for i in range(config['way'])]
        inner = config['dataset']
        kind = inner['type']
        return (DATASETS.get(kind) if isinstance(kind, str) else kind).class_names(inner)

    def load_records(self) -> Records:
        # only here: the package of transforms imports mmcv
        from pcdet_kd.datasets.transforms.point_arrays import POINT_KEYS

        is_test = self.official_split == 'test'
        source = self._test if is_test else self._train
        chosen = self.fold.test if is_test else self.fold.train
        infos = [source.get_data_info(int(i)) for i in chosen]
        labels = np.array([info['gt_label'] for info in infos], np.int64)
        if self.way is not None:
            labels = (labels[:, None] == self.fold.classes).argmax(axis=1)
        names = [key for key in POINT_KEYS if key in infos[0]]
        arrays = {name: _together([info[name] for info in infos]) for name in names}
        ids = [info['sample_id'] for info in infos]
        return Records(arrays.pop('points'), labels, ids, arrays, source=self._name)


def _together(arrays: list[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    """Return copies, stacked if they are of one size."""
    if len({len(array) for array in arrays}) == 1:
        return np.stack(arrays)
    return [array.copy() for array in arrays]
