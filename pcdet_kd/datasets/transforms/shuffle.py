"""Random order of the points."""

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import take
from pcdet_kd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ShufflePoints(BaseTransform):
    """Put the points, and all per-point arrays with them, in random order."""

    def transform(self, results: dict) -> dict:
        return take(results, np.random.permutation(len(results['points'])))
