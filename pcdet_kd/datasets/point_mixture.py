"""Several data sets as one, without labels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.rows import Rows
from pcdet_kd.registry import DATASETS, did_you_mean
from pcdet_kd.utils.arguments import check_choice

AXES = ('x', 'y', 'z')
_OF_A_SAMPLE = ('points', 'official_split', 'num_points', 'up_axis')


@DATASETS.register_module()
class PointMixture(PointCloudDataset):
    """The clouds of several data sets for training without labels, as AsymDSD's Mixture.

    An epoch holds every cloud of every part once; with ``weights`` or ``num_samples`` each part has
    a share of the epoch instead. A part whose share is larger than the part is repeated as a whole
    as often as it fits. What is left of its share, or all of a smaller one, is a random choice that
    follows from the seed and the epoch.

    A sample has ``points`` and no label; its ``sample_id`` is ``<part>/<its id there>``, the same
    each time that a cloud is repeated. All clouds
    are turned to one up axis; they are not scaled. Parts have no pipelines of their own.

    Args:
        parts: Data sets or their configs by name. A config without ``split`` gets the mixture's.
        weights: Share of each part in an epoch, any positive numbers. None: by size.
        num_samples: Size of an epoch. None: the sum of the parts' sizes.
        up_axis: ``'x'``, ``'y'`` or ``'z'``: the axis that points up in the samples.
        split: Split of the parts.
        options: ``pipeline``, ``test_mode``, ``indices``: see :class:`PointCloudDataset`.

    Raises:
        DataError: A file of a part is missing or malformed.
    """

    METAINFO = dict(classes=(), task='pre-training')

    def __init__(
        self,
        parts: Mapping[str, dict | PointCloudDataset],
        weights: Mapping[str, float] | None = None,
        num_samples: int | None = None,
        up_axis: str = 'z',
        split: str = 'trainval',
        **options: Any,
    ) -> None:
        check_choice('up_axis', up_axis, AXES)
        for name in ('subset', 'labels', 'unlabelled'):
            if options.get(name) is not None:
                raise ValueError(f'a mixture has no labels: give {name} to its parts')
        if not parts:
            raise ValueError('parts is empty, must name at least one data set')
        if num_samples is not None and num_samples < 1:
            raise ValueError(f'num_samples is {num_samples}, must be at least 1')
        _check_weights(weights, parts)
        self.weights = None if weights is None else [float(weights[name]) for name in parts]
        self.num_samples = num_samples
        self.names = list(parts)
        # Not called `datasets`: then the epoch would reach the parts but not the mixture.
        self.parts = [_built(name, part, split) for name, part in parts.items()]
        self._drawn: dict[tuple, np.ndarray] = {}
        super().__init__(split=split, metainfo=dict(up_axis=up_axis), **options)

    def load_records(self) -> Records:
        raise TypeError('a PointMixture has no records of its own: ask its parts')

    def load_data_list(self) -> Rows:
        sizes = [len(part) for part in self.parts]
        total = sum(sizes) if self.num_samples is None else self.num_samples
        self.counts = allot(self.weights or sizes, total)
        self._ends = np.cumsum(self.counts)
        return Rows(self._entry, total)

    def _entry(self, place: int) -> dict:
        p = int(np.searchsorted(self._ends, place, side='right'))
        index = self._index_in_part(p, place - int(self._ends[p] - self.counts[p]))
        sample_id = self.parts[p].data_list[index]['sample_id']
        return dict(part=self.names[p], index=index, sample_id=f'{self.names[p]}/{sample_id}')

    def _index_in_part(self, p: int, place: int) -> int:
        """Return which sample of part ``p`` stands at a place of its share of this epoch."""
        size = len(self.parts[p])
        repeated = self.counts[p] // size * size
        if place < repeated:
            return place % size
        key = (*self._random_state.tolist(), p)
        if key not in self._drawn:
            self._drawn = {k: v for k, v in self._drawn.items() if k[:2] == key[:2]}
            rng = np.random.default_rng([int(k) % 2**32 for k in key])
            self._drawn[key] = rng.choice(size, self.counts[p] - repeated, replace=False)
        return int(self._drawn[key][place - repeated])

    def get_data_info(self, idx: int) -> dict:
        entry = self.data_list[idx]
        found = self.parts[self.names.index(entry['part'])].get_data_info(entry['index'])
        info = {key: found[key] for key in _OF_A_SAMPLE}
        up_axis = self.metainfo['up_axis']
        if info['up_axis'] != up_axis:  # a cyclic exchange, as in ConvertUpAxis
            steps = AXES.index(up_axis) - AXES.index(info['up_axis'])
            info.update(points=np.roll(info['points'], steps, axis=1), up_axis=up_axis)
            info['points'].flags.writeable = False
        info.update(part=entry['part'], sample_id=entry['sample_id'])
        return {**info, 'sample_idx': idx if idx >= 0 else len(self) + idx}

    def set_epoch(self, epoch: int, seed: int | None = None) -> None:
        super().set_epoch(epoch, seed)
        for part in self.parts:
            part.set_epoch(epoch, seed)

    def _content(self) -> Iterator[str]:
        for name, part, count in zip(self.names, self.parts, self.counts):
            yield from (name, str(count), part.fingerprint())
        yield f'{len(self)} {self.metainfo["up_axis"]}'
        yield from self._content_of_transforms()


def allot(weights: Sequence[float], total: int) -> list[int]:
    """Return whole numbers with a given sum, as near as possible to shares in proportion to
    ``weights`` (largest remainders).
    """
    shares = np.asarray(weights, np.float64) / np.sum(weights) * total
    counts = np.floor(shares).astype(int)
    rest = np.argsort(counts - shares, kind='stable')[: total - counts.sum()]
    counts[rest] += 1
    return counts.tolist()


def _check_weights(weights: Mapping[str, float] | None, parts: Mapping) -> None:
    if weights is None:
        return
    for name in weights:
        if name not in parts:
            raise ValueError(
                f"weights names '{name}', but parts are {', '.join(parts)}."
                f'{did_you_mean(name, parts)}'
            )
    for name in parts:
        if not weights.get(name, 0) > 0:
            raise ValueError(
                f"the weight of '{name}' is {weights.get(name)}, must be above 0; leave the part "
                'out of parts if it should not be used'
            )


def _built(name: str, part: dict | PointCloudDataset, split: str) -> PointCloudDataset:
    if '/' in name:
        raise ValueError(f"the name of a part is '{name}', must not have a '/'")
    if isinstance(part, Mapping):
        part = DATASETS.build({'split': split, **part})
    if not isinstance(part, PointCloudDataset):
        raise ValueError(f"part '{name}' is a {type(part).__name__}, must be a PointCloudDataset")
    if part.pipeline.transforms:
        raise ValueError(f"part '{name}' has a pipeline: transforms belong to the mixture's")
    return part
