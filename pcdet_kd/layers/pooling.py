"""Pooling over points."""

import torch
from torch import Tensor

from pcdet_kd.ops import edge_max_sum


def max_pool(x: Tensor, dim: int) -> Tensor:
    """Return the maximum over one axis; where several are largest, one of them gets the gradient.

    ``amax`` is faster forwards, but its gradient, which is split among ties, costs several times
    that of ``max``.
    """
    return x.max(dim=dim).values if x.requires_grad else x.amax(dim=dim)


def max_mean_pool(x: Tensor) -> Tensor:
    """Return [maximum, mean] over the points, (B, 2C) of (B, N, C), in one pass; the first maximum
    gets the gradient.
    """
    everyone = torch.arange(x.shape[1], device=x.device).expand(x.shape[0], 1, -1)
    highest, _, total = edge_max_sum(x, everyone)
    return torch.cat([highest, total / x.shape[1]], dim=-1).squeeze(1)
