"""Farthest point sampling."""

import numpy as np
from numba import njit

from pcdet_kd.ops.kernels.rows import INFINITY, OPTIONS, greatest, lower_to

BLOCK = 256


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
