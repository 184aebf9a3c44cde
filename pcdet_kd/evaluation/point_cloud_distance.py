"""How far generated point clouds are from the true ones."""

from collections.abc import Mapping
from typing import Any

from pcdet_kd.evaluation.sample_metric import SampleMetric
from pcdet_kd.registry import METRICS


@METRICS.register_module()
class GenerationDistance(SampleMetric):
    """Mean over the samples of a distance that the model wrote into each of them; lower is better.

    Args:
        field: Field of the data sample that holds the distance (1,), and name of the metric:
            ``'emd'`` is what :class:`PointGenerator` writes.
        prefix: See :class:`SampleMetric`.
    """

    def __init__(self, field: str = 'emd', prefix: str | None = None) -> None:
        super().__init__(prefix)
        self.names = (field,)

    def record(self, sample: Mapping[str, Any]) -> float:
        """Return the distance of a sample.

        Raises:
            ValueError: It is NaN, infinite or negative.
        """
        (name,) = self.names
        value = float(self.field(sample, name))
        if not 0 <= value < float('inf'):
            raise ValueError(
                f"{type(self).__name__}: '{name}' of sample {sample['sample_idx']} "
                f"('{sample.get('sample_id')}') is {value}"
            )
        return value

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {self.names[0]: sum(results) / len(results)}
