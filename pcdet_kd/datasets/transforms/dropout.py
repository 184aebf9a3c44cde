"""Random dropout of points."""

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import take
from pcdet_kd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomPointDropout(BaseTransform):
    """Replace a random share of the points by the first point, so that the number stays
    (PointNet++, Qi et al., 2017).

    The share is drawn uniformly from [0, max_ratio] for each cloud. All per-point arrays follow.

    Args:
        max_ratio: Largest share, in [0, 1).
    """

    def __init__(self, max_ratio: float = 0.875) -> None:
        if not 0 <= max_ratio < 1:
            raise ValueError(f'max_ratio is {max_ratio}, must be in [0, 1)')
        self.max_ratio = max_ratio

    def transform(self, results: dict) -> dict:
        n = len(results['points'])
        dropped = np.random.random(n) < np.random.uniform(0, self.max_ratio)
        return take(results, np.where(dropped, 0, np.arange(n)))
