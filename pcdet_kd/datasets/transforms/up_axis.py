"""Turning the up axis."""

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import AXES, up_index
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.utils.arguments import check_choice


@TRANSFORMS.register_module()
class ConvertUpAxis(BaseTransform):
    """Turn the cloud and its normals so that another axis points up: a cyclic exchange of x, y and
    z, without mirroring.

    From y-up to z-up this is (x, y, z) -> (z, x, y). The sample's ``up_axis`` is set to the new
    one.

    Args:
        to: ``'x'``, ``'y'`` or ``'z'``.
    """

    def __init__(self, to: str) -> None:
        check_choice('to', to, AXES)
        self.to = to

    def transform(self, results: dict) -> dict:
        steps = AXES.index(self.to) - up_index(results)
        turned = {
            key: np.roll(results[key], steps, axis=1)
            for key in ('points', 'normals')
            if key in results
        }
        return {**results, **turned, 'up_axis': self.to}
