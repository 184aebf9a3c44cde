"""The nearest point of another cloud, for each point of both, in one pass over all pairs."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import FAST, MOST, OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_part, to_numpy


@njit(fastmath=FAST, **OPTIONS)
def measure(x, y, z, cx, cy, cz, s, bits, least, where):
    """Write the bits of the squared distances to (cx, cy, cz), lower each column's least and set
    its place to s; return the least of all.
    """
    for i in range(x.size):
        dx = x[i] - cx
        dy = y[i] - cy
        dz = z[i] - cz
        d = np.float32(dx * dx + dy * dy + dz * dz).view(np.int32)
        bits[i] = d
        better = d < least[i]
        least[i] = d if better else least[i]
        where[i] = s if better else where[i]
    lowest = MOST
    for i in range(bits.size):
        lowest = min(lowest, bits[i])
    return lowest


@njit(**OPTIONS)
def first_with(bits, value):
    """Return the first index whose bits are ``value``.

    Kernels call functions of their own file only: numba's cache would not notice a change
    elsewhere.
    """
    first = MOST
    for i in range(bits.size):
        first = min(first, np.int32(i) if bits[i] == value else MOST)
    return first


@njit(**OPTIONS)
def pairs(queries, first, points, nearest, least, where):
    """Fill the nearest point of each query (S,) int64, and lower each point's least distance,
    noting the query.

    Args:
        queries: (S, 3) float32.
        first: Index of the first of them in its cloud.
        points: (M, 3) float32.
        nearest: Receives (S,) int64.
        least: (M,) bits of the least distances so far.
        where: (M,) int32, whose they are.
    """
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    bits = np.empty(x.size, np.int32)
    for s in range(queries.shape[0]):
        cx, cy, cz = queries[s, 0], queries[s, 1], queries[s, 2]
        lowest = measure(x, y, z, cx, cy, cz, np.int32(first + s), bits, least, where)
        nearest[s] = min(np.int64(first_with(bits, lowest)), x.size - 1)


def nearest_pairs(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.chamfer_distance.nearest_pairs_torch`."""
    a, b = to_numpy(x), to_numpy(y)
    to_y = torch.empty(x.shape[:2], dtype=torch.int64)
    nearest = to_y.numpy()

    def find(c: int, i: int, j: int) -> tuple[int, np.ndarray, np.ndarray]:
        least, where = np.full(b.shape[1], MOST, np.int32), np.zeros(b.shape[1], np.int32)
        pairs(a[c, i:j], i, b[c], nearest[c, i:j], least, where)
        return c, least, where

    best, to_x = np.full(b.shape[:2], MOST, np.int32), np.zeros(b.shape[:2], np.int64)
    for c, least, where in for_each_part(
        find, *x.shape[:2]
    ):  # ascending parts: on ties the first stays
        better = least < best[c]
        best[c][better], to_x[c][better] = least[better], where[better]
    return to_y.to(x.device), torch.from_numpy(to_x).to(x.device)
