"""Sums over feature rows: what gathering them has as its gradient, and interpolation.

Gathering itself is torch's ``index_select``, which no kernel beats. Where rows are added up, a
cloud, or a wide range of its channels, belongs to one thread, so that the order of a sum never
changes.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_part, to_index


@njit(**OPTIONS)
def add_rows(grad, index, low, high, out):
    """Add rows of ``grad`` (R, C) to those of ``out`` (N, C) that ``index`` (R,) names, for
    channels from low to high.
    """
    start, channels = np.uint64(low), np.uint64(high - low)
    for r in range(index.size):
        j = np.uint64(index[r])
        for c in range(channels):
            out[j, start + c] += grad[r, start + c]


@njit(**OPTIONS)
def weigh_rows(features, index, weight, out):
    """Fill rows of ``out`` (S, C) with the weighted sum of the rows of ``features`` (N, C) in
    ``index`` (S, k).
    """
    for s in range(index.shape[0]):
        j, w = np.uint64(index[s, 0]), weight[s, 0]
        for c in range(out.shape[1]):
            out[s, c] = w * features[j, c]
        for i in range(1, index.shape[1]):
            j, w = np.uint64(index[s, i]), weight[s, i]
            for c in range(out.shape[1]):
                out[s, c] += w * features[j, c]


@njit(**OPTIONS)
def add_weighed_rows(grad, index, weight, low, high, out):
    """Add rows of ``grad`` (S, C), weighted, to the rows of ``out`` (N, C) in ``index`` (S, k), for
    channels low to high.
    """
    start, channels = np.uint64(low), np.uint64(high - low)
    for s in range(index.shape[0]):
        for i in range(index.shape[1]):
            j, w = np.uint64(index[s, i]), weight[s, i]
            for c in range(channels):
                out[j, start + c] += w * grad[s, start + c]


def array(tensor: Tensor) -> np.ndarray:
    """Return a contiguous CPU array without the graph; floats narrower than float32 become
    float32.
    """
    dtype = (
        torch.promote_types(tensor.dtype, torch.float32)
        if tensor.is_floating_point()
        else tensor.dtype
    )
    return tensor.detach().to('cpu', dtype).contiguous().numpy()


def group_backward(grad: Tensor, index: Tensor, num_points: int) -> Tensor:
    """See :func:`pcdet_kd.ops.group.group_backward_torch`."""
    i, g = to_index(index.flatten(1), num_points), array(grad.flatten(1, -2))
    out = np.zeros((len(i), num_points, g.shape[2]), g.dtype)
    for_each_part(lambda b, low, high: add_rows(g[b], i[b], low, high, out[b]), len(i), g.shape[2])
    return torch.from_numpy(out).to(grad.device, grad.dtype)


def interpolate(features: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """See :func:`pcdet_kd.ops.three_interpolate.interpolate_torch`."""
    f, i = array(features), to_index(index, features.shape[1])
    w, out = (
        array(weight).astype(f.dtype, copy=False),
        np.empty((*i.shape[:2], f.shape[2]), f.dtype),
    )
    for_each_part(lambda b, s, e: weigh_rows(f[b], i[b, s:e], w[b, s:e], out[b, s:e]), *i.shape[:2])
    return torch.from_numpy(out).to(features.device, features.dtype)


def interpolate_backward(grad: Tensor, index: Tensor, weight: Tensor, num_points: int) -> Tensor:
    """See :func:`pcdet_kd.ops.three_interpolate.interpolate_backward_torch`."""
    g, i = array(grad), to_index(index, num_points)
    w, out = (
        array(weight).astype(g.dtype, copy=False),
        np.zeros((len(i), num_points, g.shape[2]), g.dtype),
    )
    for_each_part(
        lambda b, low, high: add_weighed_rows(g[b], i[b], w[b], low, high, out[b]),
        len(i),
        g.shape[2],
    )
    return torch.from_numpy(out).to(grad.device, grad.dtype)
