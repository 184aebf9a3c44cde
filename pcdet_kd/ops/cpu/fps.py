"""Farthest point sampling."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import FAST, INFINITY, OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, sizes, to_numpy

BLOCK = 256


@njit(fastmath=FAST, **OPTIONS)
def lower_to(x, y, z, cx, cy, cz, d):
    """Lower d to the squared distances of points (x, y, z) to (cx, cy, cz) where these are less."""
    for i in range(x.size):
        dx = x[i] - cx
        dy = y[i] - cy
        dz = z[i] - cz
        d[i] = min(d[i], dx * dx + dy * dy + dz * dz)


@njit(**OPTIONS)
def greatest(bits):
    """Return the maximum of an int32 row."""
    m = np.int32(-2147483648)
    for i in range(bits.size):
        m = max(m, bits[i])
    return m


@njit(**OPTIONS)
def farthest_points(points, start, near_origin, chosen):
    """Fill ``chosen`` (M,) int64 with farthest points of ``points`` (N, 3) float32, beginning at ``start``.

    Points with a squared norm of at most ``near_origin`` are passed over (a negative value: none is).
    """
    n = points.shape[0]
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    nearest = np.empty(n, np.float32)
    for i in range(n):
        norm = x[i] * x[i] + y[i] * y[i] + z[i] * z[i]
        nearest[i] = np.float32(-1) if norm <= near_origin else INFINITY
    bits = nearest.view(np.int32)
    current = start
    for s in range(chosen.size):
        chosen[s] = current
        cx, cy, cz = x[current], y[current], z[current]
        best, block = np.int32(-2147483648), 0
        for a in range(0, n, BLOCK):
            e = min(a + BLOCK, n)
            lower_to(x[a:e], y[a:e], z[a:e], cx, cy, cz, nearest[a:e])
            m = greatest(bits[a:e])
            if m > best:
                best, block = m, a
        current = block
        while bits[current] != best:
            current += 1


def farthest_point_sample(points: Tensor, first: Tensor, lengths: Tensor | None, num_samples: int,
                          near_origin: float) -> Tensor:
    """See :func:`pcdet_kd.ops.farthest_point_sample.farthest_point_sample_torch`."""
    array, starts, count = to_numpy(points), first.tolist(), sizes(lengths, *points.shape[:2])
    chosen = torch.empty(len(array), num_samples, dtype=torch.int64)
    out, hole = chosen.numpy(), np.float32(near_origin)
    for_each_cloud(lambda b: farthest_points(array[b, :count[b]], starts[b], hole, out[b]), len(array))
    return chosen.to(points.device)
