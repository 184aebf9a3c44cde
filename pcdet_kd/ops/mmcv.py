"""The CUDA ops of a full mmcv (2.x, compiled; mmcv-lite has none) behind the signatures of ours.

mmcv decides ties and neighbours at the very border of a ball by its own rules, so indices can
differ from those of the other back ends there. What mmcv cannot do (another start,
feature space, k >= 100, skipped copies) takes the ``'auto'`` kernels.
"""

import math
from importlib import import_module
from typing import Any

from torch import Tensor

from pcdet_kd.ops import backend

MAX_NEIGHBORS = 99  # mmcv's kernel keeps its candidates in a fixed array


def farthest_point_sample(
    points: Tensor, first: Tensor, num_samples: int, near_origin: float
) -> Tensor:
    """As ours for whole clouds, start 0 and no hole near the origin."""
    if near_origin >= 0 or bool(first.any()):
        return _auto('farthest_point_sample', points, first, num_samples, near_origin)
    return _ops().furthest_point_sample(points.float().contiguous(), num_samples).long()


def knn(query: Tensor, points: Tensor, k: int) -> Tensor:
    """As ours in space, for k below 100."""
    if query.shape[2] != 3 or k > MAX_NEIGHBORS:
        return _auto('knn', query, points, k)
    return (
        _ops()
        .knn(k, points.float().contiguous(), query.float().contiguous())
        .transpose(1, 2)
        .long()
    )


def ball_query(query: Tensor, points: Tensor, limit: float, k: int, skip_copies: bool) -> Tensor:
    """As ours up to the rounding of the radius; mmcv counts d^2 < r^2, and d = 0 always."""
    if skip_copies:
        return _auto('ball_query', query, points, limit, k, skip_copies)
    found = _ops().ball_query(
        0, math.sqrt(limit), k, points.float().contiguous(), query.float().contiguous()
    )
    return found.long()


def _ops() -> Any:
    return import_module('mmcv.ops')


def _auto(op: str, *args: Any) -> Tensor:
    with backend.use('auto', check_values=False):
        return backend.run(op, *args)
