"""The base of our metrics: exactly one record per sample of the data set, on one process or
many.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import all_gather_object, broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric


class SampleMetric(BaseMetric):
    """A metric over one record per sample, keyed by ``sample_idx``.

    MMEngine cuts the gathered results to the size of the data set, whatever they are: results per
    batch or several per sample give wrong numbers in silence. Here a sampler's padding is
    recognised by ``sample_idx``, and a sample that is missing or was scored twice by one process is
    an error. Records travel as objects between the processes, so nothing is written to disk.

    A subclass turns a sample into a record in :meth:`record` and all records into numbers in
    :meth:`compute_metrics`. If it says in ``names`` how these are called, a misspelt ``save_best``
    is found before training.

    Args:
        prefix: Goes before the metrics' names (``prefix/name``), to tell two metrics of a kind
            apart.
    """

    default_prefix = ''
    names: tuple[str, ...] = ()  # of the metrics, known before there are results

    def __init__(self, prefix: str | None = None) -> None:
        super().__init__(collect_device='gpu', prefix=prefix)

    @abstractmethod
    def record(self, sample: Mapping[str, Any]) -> Any:
        """Return what has to be known of a sample; small, picklable, without device tensors."""

    @abstractmethod
    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the metrics by name from all records, which are in the data set's order."""

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        for sample in data_samples:
            if 'sample_idx' not in sample:
                raise KeyError(
                    f"{type(self).__name__}: a data sample has no 'sample_idx', only "
                    f'{sorted(sample)}. '
                    'PackPointInputs sets it'
                )
            self.results.append((int(sample['sample_idx']), self.record(sample)))

    def field(self, sample: Mapping[str, Any], name: str) -> Any:
        """Return a field of a sample, or raise ``KeyError`` with the fields that there are."""
        if name not in sample:
            raise KeyError(
                f"{type(self).__name__}: sample {sample['sample_idx']} has no '{name}', only "
                f'{sorted(sample)}'
            )
        return sample[name]

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather the records of all processes and compute the metrics.

        Args:
            size: Length of the data set.

        Raises:
            ValueError: There is not exactly one record for each of the samples 0 to ``size - 1``.
                Raised on every process.
        """
        mine, self.results = self.results, []
        records = self._merge(all_gather_object(mine), size)
        metrics = [None]
        if is_main_process():
            metrics = [
                {
                    f'{self.prefix}/{name}' if self.prefix else name: value
                    for name, value in self.compute_metrics(records).items()
                }
            ]
        broadcast_object_list(metrics)
        return metrics[0]

    def _merge(self, parts: list[list[tuple[int, Any]]], size: int) -> list:
        merged = {}
        for part in parts:
            own = {}
            for idx, record in part:
                if idx in own:
                    raise ValueError(
                        f'{type(self).__name__}: sample {idx} was scored twice by one process; a '
                        'metric takes one result per sample (average votes before)'
                    )
                own[idx] = record
            merged = {**own, **merged}
        missing = [idx for idx in range(size) if idx not in merged]
        extra = sorted(idx for idx in merged if not 0 <= idx < size)
        if missing or extra:
            odd = ', '.join(
                f'{len(names)} {what} (first: {names[0]})'
                for what, names in (('missing', missing), ('not in the data set', extra))
                if names
            )
            raise ValueError(
                f'{type(self).__name__}: {len(merged)} samples were scored, the data set has '
                f'{size}: {odd}. '
                "Check that the test loader's sampler visits every sample and that sample_idx is "
                'its position'
            )
        return [merged[idx] for idx in range(size)]
