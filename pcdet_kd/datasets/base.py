"""The contract of all data sets: arrays in memory, stable sample names, splits, and reproducible
random numbers.
"""

import copy
import inspect
import random
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.registry import DefaultScope

from pcdet_kd.datasets.checks import check_records
from pcdet_kd.datasets.few_labels import PREFIX, choose, joined, without_labels
from pcdet_kd.datasets.read_once import once
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.splits import stratified_split
from pcdet_kd.registry import SCOPE, TRANSFORMS
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError, SampleError
from pcdet_kd.utils.hashing import content_sha256

SPLITS = ('train', 'val', 'trainval', 'test')
# Arguments that say which samples are used, and how, but not what is in the files.
_NOT_SOURCE = (
    *('split', 'val_fraction', 'val_seed', 'pipeline', 'test_mode', 'indices'),
    *('subset', 'labels', 'subset_seed', 'unlabelled'),
)


class PointCloudDataset(BaseDataset):
    """Base of all point-cloud classification data sets.

    A subclass sets ``METAINFO`` (``classes``, ``up_axis``, ``task='classification'``) and reads its
    files in :meth:`load_records`. This class checks the records, splits off the validation part,
    and returns samples: dicts with ``points`` (N, 3) float32 and the extras (all read-only views of
    arrays that are held once), ``gt_label``, ``sample_idx``, ``sample_id``, ``class_name``,
    ``official_split``, ``num_points`` and ``up_axis``.

    Transforms draw from NumPy's and Python's global generators, as MMCV's do; before each sample
    these are seeded from (seed, epoch, sample), so that a sample's augmentation never depends on
    workers or on what was drawn before, and never repeats between epochs. :meth:`set_epoch` reaches
    running worker processes too.

    Args:
        data_root: Directory of the files.
        split: ``'train'`` (without the validation part), ``'val'``, ``'trainval'`` (the official
            training set, complete) or ``'test'``.
        val_fraction: Part of each class of the official training set that is kept out of
            ``'train'`` for ``'val'``. 0, where the files set samples apart for validation
            (``OFFICIAL_VAL``), takes those.
        val_seed: Seed of that choice. The choice depends on nothing else.
        pipeline: Transforms.
        test_mode: Kept for MMEngine; a sample that cannot be read is an error in either mode.
        metainfo: Overrides of ``METAINFO``.
        indices: Use only the first n samples, or the given ones.
        allow_degenerate: Accept clouds with coordinates beyond 1e9 or with all points at one place,
            which are errors otherwise.
        subset: Use only so many clouds of the split: a number, a share, or a file that names them,
            see :func:`~pcdet_kd.datasets.few_labels.choose`. The choice is stratified by class, and
            a smaller one is part of a larger one.
        labels: Of these, the clouds that keep their label, chosen likewise; 0: none. The others
            have no ``gt_label``: they teach through distillation only.
        subset_seed: Seed of both choices. They depend on nothing else.
        unlabelled: Config of a further data set whose clouds are added without their labels, under
            the names ``unlabelled/<sample_id>``.
    """

    OFFICIAL_VAL = False

    def __init__(
        self,
        data_root: str = '',
        split: str = 'train',
        val_fraction: float = 0.0,
        val_seed: int = 0,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        metainfo: dict | None = None,
        indices: int | Sequence[int] | None = None,
        allow_degenerate: bool = False,
        subset: float | str | None = None,
        labels: float | str | None = None,
        subset_seed: int = 0,
        unlabelled: dict | None = None,
    ) -> None:
        check_choice('split', split, SPLITS)
        if not 0 <= val_fraction < 1:
            raise ValueError(f'val_fraction is {val_fraction}, must be in [0, 1)')
        if split == 'val' and val_fraction == 0 and not self.OFFICIAL_VAL:
            raise ValueError(
                "split='val' needs val_fraction > 0: the validation part is taken from the "
                'training set'
            )
        self.split = split
        self.val_fraction = val_fraction
        self.val_seed = val_seed
        self.allow_degenerate = allow_degenerate
        self._subset, self._labels, self._subset_seed = subset, labels, subset_seed
        self._unlabelled = unlabelled
        self._random_state = torch.zeros(2, dtype=torch.int64).share_memory_()  # seed, epoch
        super().__init__(
            data_root=data_root,
            pipeline=build_transforms(pipeline),
            test_mode=test_mode,
            metainfo=metainfo,
            indices=indices,
            serialize_data=False,
        )

    def __new__(cls, *args: Any, **kwargs: Any) -> 'PointCloudDataset':
        """Keep the arguments that say what is read, so that it is read once for all splits."""
        self = super().__new__(cls)
        names = list(inspect.signature(cls.__init__).parameters)[1:]
        given = {**dict(zip(names, args)), **kwargs}
        self._source = repr(sorted((k, v) for k, v in given.items() if k not in _NOT_SOURCE))
        return self

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        # MMEngine would take a value such as up_axis='z' for the name of a file to read.
        return {**copy.deepcopy(cls.METAINFO), **(metainfo or {})}

    @classmethod
    def class_names(cls, config: Mapping[str, Any]) -> Sequence[str] | None:
        """Return the classes of the data set that a config describes. No points are read; None if
        files say it that are not there.
        """
        return {**cls.METAINFO, **(config.get('metainfo') or {})}.get('classes')

    def _copy_without_annotation(self, memo: dict | None = None) -> 'PointCloudDataset':
        # MMEngine keeps one memo for all calls, so that a second subset would share the first one's
        # parts.
        other = super()._copy_without_annotation({} if memo is None else memo)
        other._random_state = self._random_state.clone().share_memory_()
        return other

    @property
    def official_split(self) -> str:
        """The split (``'train'`` or ``'test'``) whose files are read."""
        return 'test' if self.split == 'test' else 'train'

    @abstractmethod
    def load_records(self) -> Records:
        """Read the files of :attr:`official_split`.

        Raises:
            DataError: A file is missing or malformed.
        """

    def _read(self) -> Records:
        with np.errstate(over='ignore', invalid='ignore'):  # check_records names what overflowed
            records = self.load_records()
        check_records(records, self.metainfo['classes'], self.allow_degenerate)
        records.freeze()
        return records

    def load_data_list(self) -> list[dict]:
        self.records = records = once((type(self), self.official_split, self._source), self._read)
        chosen, labelled = self._choose(records.labels, records.ids.__getitem__, records.validation)
        if not len(chosen):
            raise DataError(
                records.source,
                f"0 samples in split '{self.split}'",
                'at least one',
                'check data_root, split, subset and val_fraction',
            )
        entries = [dict(record=int(i), sample_id=records.ids[i]) for i in chosen]
        for entry in entries:
            if labelled[entry['record']]:
                entry['gt_label'] = int(records.labels[entry['record']])
        if self._unlabelled is not None:
            entries += self._add(without_labels(self._unlabelled))
        return entries

    def _choose(
        self,
        labels: np.ndarray,
        name_of: Callable[[int], str],
        validation: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the records of this split, sorted, and whether each record (n,) has a label that
        is not hidden. A class below 0 stands for no label; ``validation`` (n,) marks what the files
        set apart.
        """
        chosen = np.arange(len(labels))
        if self.val_fraction and self.split in ('train', 'val'):
            # seeds are not negative
            parts = stratified_split(
                labels - min(labels.min(initial=0), 0), self.val_fraction, self.val_seed
            )
            chosen = parts[self.split == 'val']
        elif validation is not None and self.split in ('train', 'val'):
            chosen = np.flatnonzero(validation == (self.split == 'val'))
        chosen = self._part('subset', self._subset, chosen, labels, name_of)
        known = chosen[labels[chosen] >= 0]
        known = self._part('labels', self._labels, known, labels, name_of)
        labelled = np.zeros(len(labels), bool)
        labelled[known] = True
        return chosen, labelled

    def _part(
        self,
        name: str,
        wanted: float | str | None,
        of: np.ndarray,
        labels: np.ndarray,
        name_of: Callable[[int], str],
    ) -> np.ndarray:
        names = [name_of(i) for i in of] if isinstance(wanted, str) else ()
        return of[choose(name, wanted, labels[of], names, self._subset_seed)]

    def _add(self, other: 'PointCloudDataset') -> list[dict]:
        """Take the clouds of another data set too, and return their entries."""
        up, given = (data.metainfo['up_axis'] for data in (self, other))
        steps = self.pipeline.transforms
        turns = TRANSFORMS.get('ConvertUpAxis')
        if up != given and steps and not any(isinstance(step, turns) for step in steps):
            raise ValueError(
                f'unlabelled: its clouds have {given} up, those of {type(self).__name__} {up}. '
                f"Begin the pipeline with dict(type='ConvertUpAxis', to='{up}'), or correct up_axis"
            )
        before = len(self.records.labels)
        self.records = joined(self.records, other.records)
        return [
            dict(
                record=before + info['record'],
                sample_id=PREFIX + info['sample_id'],
                up_axis=other.metainfo['up_axis'],
            )
            for info in other.data_list
        ]

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        record = info.pop('record')
        info['points'] = self.records.points[record]
        for name, array in self.records.extras.items():
            info[name] = array[record]
        if 'gt_label' in info:
            info['class_name'] = self.metainfo['classes'][info['gt_label']]
        info['official_split'] = self.official_split
        info['num_points'] = len(info['points'])
        info.setdefault('up_axis', self.metainfo['up_axis'])
        return info

    def labels(self) -> np.ndarray:
        """Return the class of every sample of this split (n,) int64, in order.

        Raises:
            ValueError: The samples have no labels.
        """
        known = self.labelled()
        if not known.all():
            found = f'{int((~known).sum())} of {len(known)} samples of {type(self).__name__}'
            raise ValueError(f'{found} have no labels')
        return np.array([info['gt_label'] for info in self.data_list], dtype=np.int64)

    def labelled(self) -> np.ndarray:
        """Return whether each sample of this split has a label (n,) bool, in order."""
        return np.array(['gt_label' in info for info in self.data_list], dtype=bool)

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of one sample as a list (what MMEngine's ``ClassBalancedDataset`` asks
        for).
        """
        return [self.data_list[idx]['gt_label']]

    def set_epoch(self, epoch: int, seed: int | None = None) -> None:
        """Choose the random numbers of the next pass, in this process and in running workers."""
        if seed is not None:
            self._random_state[0] = seed
        self._random_state[1] = epoch

    def prepare_data(self, idx: int) -> Any:
        info = self.get_data_info(idx)
        entropy = [int(s) % 2**32 for s in (*self._random_state.tolist(), info['sample_idx'])]
        np.random.seed(entropy)
        random.seed(int(np.random.randint(2**31)))
        sample_id = info['sample_id']
        for transform in self.pipeline.transforms:
            try:
                info = transform(info)
            except Exception as error:
                raise SampleError(
                    f"{type(self).__name__} ({self.split}): sample {idx} ('{sample_id}') failed in "
                    f'{type(transform).__name__}: {error}'
                ) from error
            if info is None:
                raise SampleError(
                    f'{type(self).__name__} ({self.split}): {type(transform).__name__} returned '
                    'nothing for '
                    f"sample {idx} ('{sample_id}')"
                )
        return info

    def __getitem__(self, idx: int) -> Any:
        if not self._fully_initialized:
            self.full_init()
        return self.prepare_data(idx)

    def fingerprint(self) -> str:
        """Return a hash of this split's points, extras, labels and names: equal means equal data.

        A transform of the pipeline that reads files of its own adds to it through
        ``fingerprint(samples) -> str``.
        """
        return content_sha256(self._content())

    def _content(self) -> Iterator[str | np.ndarray]:
        for info in self.data_list:
            yield from (str(info['sample_id']), str(info.get('gt_label')))
            yield self.records.hash_of(info['record'])
        yield from self._content_of_transforms()

    def _content_of_transforms(self) -> Iterator[str]:
        for transform in self.pipeline.transforms:
            if hasattr(transform, 'fingerprint'):
                yield transform.fingerprint([self.get_data_info(i) for i in range(len(self))])


def build_transforms(transforms: Sequence[dict | Callable]) -> list[Callable]:
    """Build transforms from their configs; built ones stay as they are. Transforms of this
    package, of MMCV and of others may be mixed.
    """
    with DefaultScope.overwrite_default_scope(
        SCOPE
    ):  # also for transforms inside one of MMCV's wrappers
        return [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in transforms]
