"""Two random views of one cloud."""

from collections.abc import Callable, Sequence

from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import POINT_KEYS
from pcdet_kd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SiameseViews(BaseTransform):
    """Run two pipelines on the same sample; each draws its own random numbers.

    The result is the sample after ``view_1``. The per-point arrays after ``view_2`` are added under
    their names with ``_2``: ``points_2`` and, where they exist, ``normals_2``, ``rgb_2``,
    ``heights_2``, ...

    Args:
        view_1: Transforms of the first view. Empty: the sample as it is.
        view_2: Transforms of the second view.
    """

    def __init__(
        self, view_1: Sequence[dict | Callable] = (), view_2: Sequence[dict | Callable] = ()
    ) -> None:
        self.view_1, self.view_2 = (
            [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in view]
            for view in (view_1, view_2)
        )

    def transform(self, results: dict) -> dict:
        """Make the two views.

        Raises:
            ValueError: A transform of a view returned nothing.
        """
        first, second = self._run(self.view_1, results), self._run(self.view_2, results)
        return {**first, **{f'{key}_2': second[key] for key in POINT_KEYS if key in second}}

    @staticmethod
    def _run(transforms: Sequence[Callable], results: dict) -> dict:
        results = dict(results)
        for transform in transforms:
            results = transform(results)
            if results is None:
                raise ValueError(f'{type(transform).__name__} returned nothing')
        return results
