"""The three nearest points and their squared distances."""

import torch
from torch import Tensor

from pcdet_kd.ops.gpu.common import planes, rows
from pcdet_kd.ops.gpu.knn import nearest


def three_nn(query: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.three_interpolate.three_nn_torch`."""
    index = torch.empty(*query.shape[:2], 3, dtype=torch.int64, device=query.device)
    squared = torch.empty(index.shape, dtype=torch.float32, device=query.device)
    num_points = points.shape[1]
    nearest(
        rows(query),
        planes(points),
        None,
        index,
        squared,
        num_points,
    )
    if num_points < 3:
        missing = squared.isnan()  # the bits of what is absent
        index = torch.where(missing, index[..., :1], index)
        squared = squared.masked_fill(missing, torch.inf)
    return index, squared
