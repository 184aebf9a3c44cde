"""Height above the lowest point."""

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import up_index
from pcdet_kd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class AddHeight(BaseTransform):
    """Add ``heights`` (N, 1): the coordinate along the up axis minus its minimum in the cloud
    (PointNeXt's fourth channel, Qian et al., NeurIPS 2022).

    Later transforms that move points do not change ``heights``: put this transform where the height
    is to be measured.
    """

    def transform(self, results: dict) -> dict:
        column = results['points'][:, up_index(results), None]
        return {**results, 'heights': (column - column.min()).astype(np.float32)}
