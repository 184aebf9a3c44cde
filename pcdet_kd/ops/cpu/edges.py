"""Reductions over the edges of a neighbour graph, without a tensor of the edges' size."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, to_index


@njit(**OPTIONS)
def max_sum(features, index, highest, where, total):
    """Fill the maximum over a centre's neighbours, its place and the sum, each (S, C), from (N, C)
    and (S, k).

    The first maximum along k wins, and a NaN beats all, as in torch.
    """
    channels = features.shape[1]
    place = np.empty(channels, np.int32)  # int64 beside float32 would halve the vectors
    for s in range(index.shape[0]):
        m, t = highest[s], total[s]
        j = index[s, 0]
        row, small = features[j], np.int32(j)
        for c in range(channels):
            m[c] = row[c]
            t[c] = row[c]
            place[c] = small
        for i in range(1, index.shape[1]):
            j = index[s, i]
            row, small = features[j], np.int32(j)
            for c in range(channels):
                value, best = row[c], m[c]
                t[c] += value
                better = (value > best) | ((value != value) & (best == best))
                m[c] = value if better else best
                place[c] = small if better else place[c]
        w = where[s]
        for c in range(channels):
            w[c] = place[c]


@njit(**OPTIONS)
def max_sum_backward(grad_max, grad_sum, where, index, grad):
    """Add the gradients of maximum and sum, each (S, C), to that of the features (N, C), centre by
    centre.
    """
    channels = grad.shape[1]
    for s in range(index.shape[0]):
        g = grad_sum[s]
        for i in range(index.shape[1]):
            row = grad[index[s, i]]
            for c in range(channels):
                row[c] += g[c]
        g, w = grad_max[s], where[s]
        for c in range(channels):
            grad[w[c], c] += g[c]


def array(tensor: Tensor) -> np.ndarray:
    """Return a contiguous CPU array without the graph, in float64 if the tensor is, else in
    float32.
    """
    dtype = torch.promote_types(tensor.dtype, torch.float32)
    return tensor.detach().to('cpu', dtype).contiguous().numpy()


def edge_max_sum(features: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.edge_max_sum.edge_max_sum_torch`."""
    f, i = array(features), to_index(index, features.shape[1])
    shape = *index.shape[:2], features.shape[2]
    highest, where, total = (
        np.empty(shape, f.dtype),
        np.empty(shape, np.int64),
        np.empty(shape, f.dtype),
    )
    for_each_cloud(lambda b: max_sum(f[b], i[b], highest[b], where[b], total[b]), len(f))
    return tuple(torch.from_numpy(a).to(features.device) for a in (highest, where, total))


def edge_max_sum_backward(
    grad_max: Tensor, grad_sum: Tensor, argmax: Tensor, index: Tensor, num_points: int
) -> Tensor:
    """See :func:`pcdet_kd.ops.edge_max_sum.edge_max_sum_backward_torch`. The order of the sums is
    always the same.
    """
    high, total = array(grad_max), array(grad_sum)
    where, i = argmax.cpu().contiguous().numpy(), to_index(index, num_points)
    grad = np.zeros((len(i), num_points, high.shape[2]), high.dtype)
    for_each_cloud(lambda b: max_sum_backward(high[b], total[b], where[b], i[b], grad[b]), len(i))
    return torch.from_numpy(grad).to(grad_max.device)
