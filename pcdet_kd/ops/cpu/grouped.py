"""Steps of a point-wise MLP on groups of neighbours, on a slab of rows that fits the cache.

Rows are edges: the k neighbours of centre g are the rows g * k to g * k + k - 1. Kernels that write
per group or per row take a range of groups or rows, those that add up over rows take a range of
channels: threads share the ranges, and no result depends on their number.
"""

from collections.abc import Callable

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud

CHUNK = 128  # rows that are added up in the type of the data before they go to a float64 total


@njit(**OPTIONS)
def edge_relu_rows(points, centres, index, floor, out, low, high):
    """Fill rows of ``out`` with max(points[j] - centres[g], floor)."""
    k = index.shape[1]
    for g in range(low, high):
        q = centres[g]
        for i in range(k):
            p, row = points[index[g, i]], out[g * k + i]
            for c in range(floor.size):
                value = p[c] - q[c]
                row[c] = value if value > floor[c] else floor[c]


@njit(**OPTIONS)
def edge_relu_backward_columns(grad, out, index, grad_points, grad_centres, low, high):
    """Add the gradient of :func:`edge_relu_rows` with floor 0, where ``out`` is positive, to those
    of its arguments.
    """
    k, total = index.shape[1], np.empty(high - low, grad.dtype)
    for g in range(index.shape[0]):
        total[:] = 0
        for i in range(k):
            p, d, row = (
                grad_points[index[g, i], low:high],
                grad[g * k + i, low:high],
                out[g * k + i, low:high],
            )
            for c in range(total.size):
                value = d[c] if row[c] > 0 else d.dtype.type(0)
                total[c] += value
                p[c] += value
        q = grad_centres[g, low:high]
        for c in range(total.size):
            q[c] -= total[c]


@njit(**OPTIONS)
def affine_relu_rows(z, scale, shift, floor, out, low, high):
    """Fill rows of ``out`` with max(z * scale + shift, floor)."""
    for r in range(low, high):
        a, row = z[r], out[r]
        for c in range(floor.size):
            value = a[c] * scale[c] + shift[c]
            row[c] = value if value > floor[c] else floor[c]


@njit(**OPTIONS)
def moments_columns(z, shift, total, squares, low, high):
    """Add the columns' sums of z - shift, and of its square, to float64 totals."""
    first, second = np.empty(high - low, z.dtype), np.empty(high - low, z.dtype)
    centre = shift[low:high]
    for a in range(0, z.shape[0], CHUNK):
        first[:] = 0
        second[:] = 0
        for r in range(a, min(a + CHUNK, z.shape[0])):
            row = z[r, low:high]
            for c in range(first.size):
                value = row[c] - centre[c]
                first[c] += value
                second[c] += value * value
        for c in range(first.size):
            total[low + c] += first[c]
            squares[low + c] += second[c]


@njit(**OPTIONS)
def max_rows(z, k, highest, where, low, high):
    """Fill the maximum over each group's rows, and which of them it is; the first of equal ones, a
    NaN before all.
    """
    for g in range(low, high):
        m, w, row = highest[g], where[g], z[g * k]
        for c in range(m.size):
            m[c] = row[c]
            w[c] = 0
        for i in range(1, k):
            row, small = z[g * k + i], np.int32(i)
            for c in range(m.size):
                value, best = row[c], m[c]
                better = (value > best) | ((value != value) & (best == best))
                m[c] = value if better else best
                w[c] = small if better else w[c]


@njit(**OPTIONS)
def max_backward_rows(grad, where, weight, k, out, low, high):
    """Add the gradient of the maxima of a linear layer to that of the layer's input ``out``, row by
    row.
    """
    for g in range(low, high):
        for c in range(weight.shape[0]):
            value, w, row = grad[g, c], weight[c], out[g * k + where[g, c]]
            for h in range(w.size):
                row[h] += value * w[h]


@njit(**OPTIONS)
def max_backward_weight(grad, where, rows, k, grad_weight, low, high):
    """Add the gradient of the maxima of a linear layer on ``rows`` to that of its weight, for some
    of its outputs.
    """
    for g in range(grad.shape[0]):
        for c in range(low, high):
            value, w, row = grad[g, c], grad_weight[c], rows[g * k + where[g, c]]
            for h in range(w.size):
                w[h] += value * row[h]


@njit(**OPTIONS)
def relu_backward_columns(grad, z, scale, shift, mean, total, moment, low, high):
    """Set ``grad`` to 0 where z * scale + shift is not positive; add up its columns, and those of
    grad * (z - mean).
    """
    first, second = np.empty(high - low, z.dtype), np.empty(high - low, z.dtype)
    s, t, m = scale[low:high], shift[low:high], mean[low:high]
    for a in range(0, z.shape[0], CHUNK):
        first[:] = 0
        second[:] = 0
        for r in range(a, min(a + CHUNK, z.shape[0])):
            row, d = z[r, low:high], grad[r, low:high]
            for c in range(first.size):
                value = d[c] if row[c] * s[c] + t[c] > 0 else d.dtype.type(0)
                d[c] = value
                first[c] += value
                second[c] += value * (row[c] - m[c])
        for c in range(first.size):
            total[low + c] += first[c]
            moment[low + c] += second[c]


def share(kernel: Callable, size: int, *args: Tensor | int) -> None:
    """Call ``kernel(*args, low, high)`` for ranges that make up ``range(size)``, on as many threads
    as torch uses.

    Tensors are handed over as arrays on the same memory, so they must be contiguous CPU tensors.
    """
    arrays = [arg.detach().numpy() if isinstance(arg, Tensor) else arg for arg in args]
    parts = max(1, min(torch.get_num_threads(), size // 16))
    bounds = [size * p // parts for p in range(parts + 1)]
    for_each_cloud(lambda p: kernel(*arrays, bounds[p], bounds[p + 1]), parts)
