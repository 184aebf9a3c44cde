"""Centring and scaling to a standard size."""

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.corruptions.geometry import centre_of, to_unit_box, to_unit_sphere
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.utils.arguments import check_choice


@TRANSFORMS.register_module()
class CenterPoints(BaseTransform):
    """Move the centre of the cloud to the origin.

    Args:
        mode: ``'mean'`` of the points, or the centre of their axis-aligned bounding box
            (``'bbox'``).
    """

    def __init__(self, mode: str = 'mean') -> None:
        check_choice('mode', mode, ('mean', 'bbox'))
        self.mode = mode

    def transform(self, results: dict) -> dict:
        points = results['points']
        return {**results, 'points': (points - centre_of(points, self.mode)).astype(np.float32)}


@TRANSFORMS.register_module()
class UnitSphere(BaseTransform):
    """Centre the cloud and scale it uniformly so that the farthest point is at distance 1.

    A cloud whose points all coincide with the centre is centred only.

    Args:
        center: ``'mean'``, ``'bbox'``, or None to leave the cloud where it is and measure from the
            origin.
    """

    def __init__(self, center: str | None = 'mean') -> None:
        check_choice('center', center, ('mean', 'bbox', None))
        self.center = center

    def transform(self, results: dict) -> dict:
        points = to_unit_sphere(results['points'].astype(np.float64), self.center)
        return {**results, 'points': points.astype(np.float32)}


@TRANSFORMS.register_module()
class UnitBox(BaseTransform):
    """Centre the bounding box at the origin and scale it uniformly so that its longest side
    is ``side``.

    A cloud whose points all coincide is centred only.

    Args:
        side: Length of the longest side: 1 gives coordinates in [-0.5, 0.5], 2 gives [-1, 1].
    """

    def __init__(self, side: float = 1.0) -> None:
        if side <= 0:
            raise ValueError(f'side is {side}, must be positive')
        self.side = side

    def transform(self, results: dict) -> dict:
        points = to_unit_box(results['points'].astype(np.float64), self.side)
        return {**results, 'points': points.astype(np.float32)}
