"""Random scale and shift."""

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import transform_normals
from pcdet_kd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomScale(BaseTransform):
    """Multiply the coordinates by a random factor, per axis or for all.

    Published ranges: DGCNN, PointMLP, PointCMT 2/3 to 3/2 per axis; PointNeXt on ScanObjectNN 0.9
    to 1.1 per axis; PointNet++ 0.8 to 1.25, one factor for all axes. Normals stay perpendicular to
    the surface and keep unit length.

    Args:
        low: Smallest factor, above 0.
        high: Largest factor.
        per_axis: One factor for each axis, or one for all.
    """

    def __init__(self, low: float = 2 / 3, high: float = 3 / 2, per_axis: bool = True) -> None:
        if not 0 < low <= high:
            raise ValueError(f'low is {low} and high is {high}, must be 0 < low <= high')
        self.low, self.high, self.per_axis = low, high, per_axis

    def transform(self, results: dict) -> dict:
        factor = np.random.uniform(self.low, self.high, 3 if self.per_axis else 1) * np.ones(3)
        return {
            **results,
            'points': (results['points'] * factor).astype(np.float32),
            **transform_normals(results, np.diag(1 / factor)),
        }


@TRANSFORMS.register_module()
class RandomShift(BaseTransform):
    """Move the cloud by a random distance along each axis.

    Published distances: DGCNN, PointMLP, PointCMT 0.2; PointNet++ 0.1 (for clouds in a unit
    sphere).

    Args:
        max_shift: Largest distance along each axis, in the cloud's unit.
    """

    def __init__(self, max_shift: float = 0.2) -> None:
        if max_shift < 0:
            raise ValueError(f'max_shift is {max_shift}, must not be negative')
        self.max_shift = max_shift

    def transform(self, results: dict) -> dict:
        shift = np.random.uniform(-self.max_shift, self.max_shift, 3)
        return {**results, 'points': (results['points'] + shift).astype(np.float32)}
