"""Samplers of batches."""

from collections.abc import Iterator
from functools import cached_property

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
