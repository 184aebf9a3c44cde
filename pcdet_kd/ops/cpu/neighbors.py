"""Nearest neighbours and neighbours within a radius."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import FAST, INFINITY, OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, sizes, to_numpy
from pcdet_kd.ops.knn import feature_distances

BLOCK = 32  # columns that are skipped together when none of them is near enough


@njit(fastmath=FAST, **OPTIONS)
def distances_to(x, y, z, cx, cy, cz, d):
    """Write the squared distances of points (x, y, z) to (cx, cy, cz) into d."""
    for i in range(x.size):
        dx = x[i] - cx
        dy = y[i] - cy
        dz = z[i] - cz
        d[i] = dx * dx + dy * dy + dz * dz


@njit(**OPTIONS)
def least(bits):
    """Return the minimum of an int32 row."""
    m = np.int32(2147483647)
    for i in range(bits.size):
        m = min(m, bits[i])
    return m


@njit(**OPTIONS)
def insert(d, base, values, indices, bound):
    """Merge the row part d, whose first column is ``base``, into the sorted lists of the k least; return the new bound.

    ``bound`` is the k-th value. Columns come in ascending order, so that strict comparisons keep the lowest index on ties.
    """
    k = values.size
    for i in range(d.size):
        v = d[i]
        if v < bound:
            a = k - 1
            while a > 0 and values[a - 1] > v:
                values[a] = values[a - 1]
                indices[a] = indices[a - 1]
                a -= 1
            values[a] = v
            indices[a] = base + i
            bound = values[k - 1]
    return bound


@njit(**OPTIONS)
def smallest(distances, found):
    """Fill ``found`` (S, k) int64 with the columns of the k least of each row of ``distances`` >= 0 (S, N) float32."""
    n, k = distances.shape[1], found.shape[1]
    values, bound = np.empty(k, np.float32), np.empty(1, np.float32)
    bound_bits = bound.view(np.int32)
    for s in range(found.shape[0]):
        d = distances[s]
        bits = d.view(np.int32)
        values[:] = INFINITY
        found[s] = 0
        bound[0] = INFINITY
        for a in range(0, n, BLOCK):
            e = min(a + BLOCK, n)
            if least(bits[a:e]) < bound_bits[0]:
                bound[0] = insert(d[a:e], a, values, found[s], bound[0])


@njit(**OPTIONS)
def nearest(query, points, found):
    """Fill ``found`` (S, k) int64 with the k nearest of ``points`` (N, 3) to each of ``query`` (S, 3), both float32."""
    n = points.shape[0]
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    d = np.empty((1, n), np.float32)
    for s in range(query.shape[0]):
        distances_to(x, y, z, query[s, 0], query[s, 1], query[s, 2], d[0])
        smallest(d, found[s:s + 1])


@njit(**OPTIONS)
def within(query, points, limit, found):
    """Fill ``found`` (S, k) int64 with the first k of ``points`` (N, 3) whose squared distance is below ``limit``.

    Rows are padded with their first hit, and are 0 without one.
    """
    n, k = points.shape[0], found.shape[1]
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    d, bound = np.empty(BLOCK, np.float32), np.empty(1, np.float32)
    bits = d.view(np.int32)
    bound[0] = limit
    bound_bits = bound.view(np.int32)[0]
    for s in range(query.shape[0]):
        cx, cy, cz = query[s, 0], query[s, 1], query[s, 2]
        row = found[s]
        hits = 0
        for a in range(0, n, BLOCK):
            size = min(BLOCK, n - a)
            distances_to(x[a:a + size], y[a:a + size], z[a:a + size], cx, cy, cz, d[:size])
            if least(bits[:size]) < bound_bits:
                for i in range(size):
                    if d[i] < limit and hits < k:
                        row[hits] = a + i
                        hits += 1
            if hits == k:
                break
        row[hits:] = row[0] if hits else 0


def knn(query: Tensor, points: Tensor, lengths: Tensor | None, k: int) -> Tensor:
    """See :func:`pcdet_kd.ops.knn.knn_torch`."""
    found = torch.empty(*query.shape[:2], k, dtype=torch.int64)
    out, count = found.numpy(), sizes(lengths, *points.shape[:2])
    if query.shape[2] == 3:
        q, p = to_numpy(query), to_numpy(points)
        for_each_cloud(lambda b: nearest(q[b], p[b, :count[b]], out[b]), len(q))
    else:
        for b in range(len(query)):
            smallest(to_numpy(feature_distances(query[b], points[b, :count[b]])), out[b])
    return found.to(query.device)


def ball_query(query: Tensor, points: Tensor, lengths: Tensor | None, limit: float, k: int) -> Tensor:
    """See :func:`pcdet_kd.ops.ball_query.ball_query_torch`."""
    q, p, count = to_numpy(query), to_numpy(points), sizes(lengths, *points.shape[:2])
    found = torch.empty(*query.shape[:2], k, dtype=torch.int64)
    out, below = found.numpy(), np.float32(limit)
    for_each_cloud(lambda b: within(q[b], p[b, :count[b]], below, out[b]), len(q))
    return found.to(query.device)
