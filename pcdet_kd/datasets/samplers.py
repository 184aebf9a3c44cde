"""Samplers of batches."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from pcdet_kd.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class SameSizeBatchSampler(Sampler):
    """Batches of clouds that all have the same number of points, for evaluation on whole clouds.

    A batch is yielded as soon as it is full, incomplete batches at the end. Clouds that all have
    one size come in the same batches as without this sampler. In a loader's config:
    ``batch_sampler=dict(type='SameSizeBatchSampler')``, beside ``sampler`` and ``batch_size``.
    Where the pipeline samples all clouds to one size it is not needed, and would only split
    batches.

    Args:
        sampler: Chooses the samples of this process and their order. It has a ``dataset``, whose
            ``get_data_info`` returns ``num_points``.
        batch_size: Most clouds of a batch.
        drop_last: Whether the incomplete batch of each size is left out.
    """

    def __init__(self, sampler: Sampler, batch_size: int, drop_last: bool = False) -> None:
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    @cached_property
    def sizes(self) -> list[int]:
        """Points of every cloud of the data set, before its transforms."""
        dataset = self.sampler.dataset
        return [dataset.get_data_info(i)['num_points'] for i in range(len(dataset))]

    def __iter__(self) -> Iterator[list[int]]:
        begun = {}
        for index in self.sampler:
            batch = begun.setdefault(self.sizes[index], [])
            batch.append(index)
            if len(batch) == self.batch_size:
                yield begun.pop(self.sizes[index])
        if not self.drop_last:
            yield from begun.values()

    def __len__(self) -> int:
        return sum(1 for _ in self)


@DATA_SAMPLERS.register_module()
class LabelledShareSampler(Sampler):
    """An order of samples in which every batch has the same share of labelled ones.

    Where few clouds have labels, plain shuffling shows each label too rarely: with 128 labelled
    clouds among 2,000 and batches of 32, a batch has two. An epoch is as long as one of plain
    shuffling over all clouds, whatever the share is, so that runs with different shares have the
    same number of steps. Within each kind all samples come equally often: one shuffled pass follows
    the other, over the ends of epochs. The order follows from the seed and the epoch.

    Args:
        dataset: With ``labelled()``, or several such data sets concatenated.
        batch_size: Clouds of a batch on each process; the loader's.
        share: Share of labelled clouds in a batch, above 0; rounded, at least one, and at most all
            but one below 1. With 1 only labelled clouds are drawn, as for a student alone.
        seed: None: drawn, the same on all processes.

    Raises:
        ValueError: The share is not in (0, 1], or no sample has a label.
    """

    def __init__(
        self, dataset: Any, batch_size: int, share: float = 0.5, seed: int | None = None
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f'share is {share}, must be above 0 and at most 1')
        labelled = labelled_samples(dataset)
        self.kinds = [np.flatnonzero(labelled), np.flatnonzero(~labelled)]
        if not len(self.kinds[0]):
            raise ValueError(
                f'none of the {len(labelled)} training samples has a label: the student needs some '
                '(labels=...); to train without any, use a pre-training method such as AsymDSD and '
                'its data'
            )
        rank, world = get_dist_info()
        self.dataset, self.batch_size, self.share = dataset, batch_size, share
        self.rank, self.world = rank, world
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.batches = -(-len(labelled) // (batch_size * world))
        first = min(max(round(share * batch_size), 1), batch_size - (share < 1))
        self.counts = (first, batch_size - first) if len(self.kinds[1]) else (batch_size, 0)
        if share < 1 and batch_size < 2:
            raise ValueError('batch_size is 1: a batch with both kinds needs 2')

    def __iter__(self) -> Iterator[int]:
        for batch in range(self.batches):
            turn = (self.epoch * self.batches + batch) * self.world + self.rank
            for kind, count in enumerate(self.counts):
                for place in range(turn * count, (turn + 1) * count):
                    yield int(
                        self._shuffled(kind, place // len(self.kinds[kind]))[
                            place % len(self.kinds[kind])
                        ]
                    )

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def set_epoch(self, epoch: int) -> None:
        """Choose the part of the order that the next pass gives."""
        self.epoch = epoch

    def _shuffled(self, kind: int, turn: int) -> np.ndarray:
        known = self.__dict__.setdefault('_orders', {})
        if (kind, turn) not in known:
            for old in [key for key in known if key[0] == kind and key[1] < turn - 1]:
                del known[old]
            known[kind, turn] = np.random.default_rng([self.seed, kind, turn]).permutation(
                self.kinds[kind]
            )
        return known[kind, turn]


def labelled_samples(dataset: Any) -> np.ndarray:
    """Return whether each sample of a data set (n,), or of several concatenated ones, has a label.

    Raises:
        ValueError: The data set does not say so.
    """
    if hasattr(dataset, 'labelled'):
        return dataset.labelled()
    parts = getattr(dataset, 'datasets', None)
    if parts is None:
        raise ValueError(
            f'{type(dataset).__name__} does not say which samples have labels (labelled()): use a '
            'data set of this package without a wrapper, or several concatenated'
        )
    return np.concatenate([labelled_samples(part) for part in parts])
