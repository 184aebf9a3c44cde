"""Nearest neighbours and neighbours within a radius.

Points lie in *lanes*: an array (T, L) whose column l holds points l T to l T + T - 1, the last ones
padded with infinity. One pass writes the bits of all distances and the least of each column. The
k-th least of these is a bound that at least k distances keep to and few others do, so that only the
columns below it are looked at, in the order of storage.
"""

import math

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.nn import functional as F

from pcdet_kd.ops.cpu.options import FAST, INFINITY, MOST, OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, for_each_part, to_numpy

COLUMNS_OF_A_BALL = 10  # that are looked at, for :func:`shape`
PRODUCTS = 1 << 22  # elements of the matrix product made at once: 16 MiB, which stay in the cache


@njit(**OPTIONS)
def fill_lanes(points, lanes):
    """Copy points (N, 3) to lanes (3, T, L)."""
    height = lanes.shape[1]
    for a in range(3):
        for j in range(lanes.shape[2]):
            for t in range(height):
                i = j * height + t
                lanes[a, t, j] = points[i, a] if i < points.shape[0] else INFINITY


@njit(fastmath=FAST, **OPTIONS)
def measure(lanes, cx, cy, cz, bits, least):
    """Write the bits of the squared distances to (cx, cy, cz) (T, L), and the least of each
    column.
    """
    for j in range(least.size):
        least[j] = MOST
    for t in range(bits.shape[0]):
        for j in range(least.size):
            dx = lanes[0, t, j] - cx
            dy = lanes[1, t, j] - cy
            dz = lanes[2, t, j] - cz
            d = np.float32(dx * dx + dy * dy + dz * dz).view(np.int32)
            bits[t, j] = d
            least[j] = min(least[j], d)


@njit(fastmath=FAST, **OPTIONS)
def measure_products(products, norms, norm, s, bits, least):
    """Do the same for features, from row s of the products (S, T, L) with the candidates and the
    squared norms.
    """
    zero = np.float32(0)
    for j in range(least.size):
        least[j] = MOST
    for t in range(bits.shape[0]):
        for j in range(least.size):
            d = np.float32(max((norms[t, j] - 2 * products[s, t, j]) + norm, zero) + zero).view(
                np.int32
            )
            bits[t, j] = d
            least[j] = min(least[j], d)


@njit(**OPTIONS)
def bound_of(values, size, k, slack):
    """Return a bound that k to k + slack of the first ``size`` values keep to; more only if they
    are equal.
    """
    low, high = np.int32(-1), np.int32(-1)
    for i in range(size):
        high = max(high, values[i])
    while True:
        middle = np.int32((np.int64(low) + np.int64(high)) >> 1)
        if middle == low:
            return high
        count = np.int32(0)
        for i in range(size):
            count = np.int32(count + np.int32(values[i] <= middle))
        if count < k:
            low = middle
        else:
            high = middle
            if count <= k + slack:
                return high


@njit(**OPTIONS)
def gather(bits, least, bound, columns, values, places):
    """List the values up to ``bound`` and their places in storage, ascending; return how many there
    are.
    """
    height = np.uint64(bits.shape[0])
    used = np.uint64(0)
    for j in range(least.size):  # without a branch that the processor could guess wrong
        columns[used] = j
        used += np.uint64(least[j] <= bound)
    count = np.uint64(0)
    for c in range(used):
        j = np.uint64(columns[c])
        for t in range(height):
            value = bits[t, j]
            values[count] = value
            places[count] = j * height + np.uint64(t)
            count += np.uint64(value <= bound)
    return np.int64(count)


@njit(**OPTIONS)
def trim(values, places, count, k):
    """Keep only the k least of ``count`` listed values; of equal ones the first."""
    bound = bound_of(values, count, k, 0)
    equal = k
    for i in range(count):
        equal -= values[i] < bound
    kept = 0
    for i in range(count):
        take = values[i] < bound
        if values[i] == bound and equal > 0:
            take = True
            equal -= 1
        if take:
            values[kept] = values[i]
            places[kept] = places[i]
            kept += 1
    return kept


@njit(**OPTIONS)
def put_in_order(values, places, count, ranks, last, row):
    """Write the places of the least values to ``row`` (k,), sorted by value; of equal ones the
    first listed comes first.
    """
    for i in range(count):
        ranks[i] = 0
    for j in range(count):
        value = values[j]
        for i in range(count):
            ranks[i] += np.int32(value < values[i])
    for i in range(row.size):
        row[i] = -1
    for i in range(count):
        rank = ranks[i]
        while rank < row.size and row[rank] >= 0:
            rank += 1
        if rank < row.size:
            row[rank] = min(
                np.int64(places[i]), last
            )  # padding comes last, unless there are NaNs that nobody looked for


@njit(**OPTIONS)
def select(bits, least, columns, values, places, ranks, last, row):
    """Write the places of the least of ``bits`` (T, L) to ``row``."""
    k = row.size
    count = gather(bits, least, bound_of(least, least.size, k, k >> 3), columns, values, places)
    if count > 2 * k + 32:
        count = trim(values, places, count, k)
    put_in_order(values, places, count, ranks, last, row)


@njit(**OPTIONS)
def nearest(query, lanes, num_points, found):
    """Fill ``found`` (S, k) int64 with the k nearest points to each of ``query`` (S, 3) float32."""
    height, width = lanes.shape[1:]
    bits, least = np.empty((height, width), np.int32), np.empty(width, np.int32)
    columns, lists = np.empty(width + 1, np.int32), np.empty((3, height * width + 1), np.int32)
    for s in range(query.shape[0]):
        measure(lanes, query[s, 0], query[s, 1], query[s, 2], bits, least)
        select(bits, least, columns, lists[0], lists[1], lists[2], num_points - 1, found[s])


@njit(**OPTIONS)
def nearest_features(products, norms, query_norms, num_points, found):
    """Fill ``found`` (S, k) from the products (S, T, L) with the candidates, and the squared norms
    (T, L), (S,).
    """
    height, width = norms.shape
    bits, least = np.empty((height, width), np.int32), np.empty(width, np.int32)
    columns, lists = np.empty(width + 1, np.int32), np.empty((3, height * width + 1), np.int32)
    for s in range(products.shape[0]):
        measure_products(products, norms, query_norms[s], s, bits, least)
        select(bits, least, columns, lists[0], lists[1], lists[2], num_points - 1, found[s])


@njit(**OPTIONS)
def within(query, lanes, limit, skip_copies, found):
    """Fill ``found`` (S, k) int64 with the first k points whose squared distance is below
    ``limit``; 0 is none with ``skip_copies``.

    Rows are padded with their first hit, and are 0 without one.
    """
    height, width = lanes.shape[1:]
    k = found.shape[1]
    bits, least = np.empty((height, width), np.int32), np.empty(width, np.int32)
    columns, hits = np.empty(width + 1, np.int32), np.empty(k + height, np.int32)
    below = np.float32(limit).view(np.int32)
    lowest = np.int32(skip_copies)  # the bits of 0 are 0, those of every other distance more
    span = np.uint32(max(below - lowest, 0))
    for s in range(query.shape[0]):
        measure(lanes, query[s, 0], query[s, 1], query[s, 2], bits, least)
        used = np.uint64(0)
        for j in range(width):
            columns[used] = j
            used += np.uint64(least[j] < below)
        count, c = np.uint64(0), np.uint64(0)
        while c < used and count < np.uint64(k):
            j = np.uint64(columns[c])
            for t in range(np.uint64(height)):
                hits[count] = j * np.uint64(height) + np.uint64(t)
                # Without a sign, what is below lowest is a large number. So is infinity minus
                # infinity, the distance of padding from a query that is not finite.
                count += np.uint64(np.uint32(bits[t, j] - lowest) < span)
            c += np.uint64(1)
        first = hits[0] if count > 0 else 0
        for i in range(k):
            found[s, i] = hits[i] if i < np.int64(count) else first


@njit(fastmath=FAST, **OPTIONS)
def three_of(query, points, found, index, squared):
    """Fill ``index`` and ``squared`` (S, 3) from the one to three nearest; the rest is the nearest,
    infinitely far.
    """
    for s in range(query.shape[0]):
        for i in range(3):
            if i < found.shape[1]:
                j = found[s, i]
                dx = points[j, 0] - query[s, 0]
                dy = points[j, 1] - query[s, 1]
                dz = points[j, 2] - query[s, 2]
                index[s, i] = j
                squared[s, i] = dx * dx + dy * dy + dz * dz
            else:
                index[s, i] = found[s, 0]
                squared[s, i] = INFINITY


def shape(num_points: int, k: int) -> tuple[int, int]:
    """Return T and L; the cost of looking at least distances, ~ L, and at columns, ~ k T, is
    balanced.
    """
    width = 1 << max(6, round(math.log2(1.6 * k * num_points) / 2), (k - 1).bit_length())
    return -(-num_points // width), width


def lanes_of(points: np.ndarray, k: int) -> np.ndarray:
    """Return the lanes of all clouds (B, 3, T, L)."""
    lanes = np.empty((len(points), 3, *shape(points.shape[1], k)), np.float32)
    for_each_cloud(lambda b: fill_lanes(points[b], lanes[b]), len(points))
    return lanes


def knn(query: Tensor, points: Tensor, k: int) -> Tensor:
    """See :func:`pcdet_kd.ops.knn.knn_torch`."""
    found, n = torch.empty(*query.shape[:2], k, dtype=torch.int64), points.shape[1]
    out = found.numpy()
    if query.shape[2] == 3:
        q, lanes = to_numpy(query), lanes_of(to_numpy(points), k)
        for_each_part(lambda b, i, j: nearest(q[b, i:j], lanes[b], n, out[b, i:j]), *q.shape[:2])
    else:
        _of_features(query.detach().float().cpu(), points.detach().float().cpu(), out)
    return found.to(query.device)


@torch.autocast('cpu', enabled=False)
def _of_features(query: Tensor, points: Tensor, found: np.ndarray) -> None:
    """A few clouds at a time, or a few queries of a large one: products by torch, then the rest
    while they are hot.
    """
    batch, num_queries, _ = query.shape
    num_points = points.shape[1]
    height, width = shape(num_points, found.shape[2])
    size = height * width
    clouds = max(1, min(PRODUCTS // (num_queries * size), batch))
    rows = max(1, min(PRODUCTS // size, num_queries))
    buffer = torch.empty(clouds * rows * size)
    for start in range(0, batch, clouds):
        some = slice(start, start + clouds)
        candidates, norms, centred = _candidates(query[some], points[some], height, width)
        for i in range(0, num_queries, rows):
            q = centred[:, i : i + rows]
            products = torch.bmm(
                q, candidates, out=buffer[: q.shape[0] * q.shape[1] * size].view(*q.shape[:2], size)
            )
            _select_features(products, norms, (q * q).sum(2), num_points, found[some, i : i + rows])


def _candidates(
    query: Tensor, points: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the candidates (B, C, T L), their squared norms (B, T, L), both in lanes, and the
    queries.

    All are centred, as in the reference. Norms of padding are infinite.
    """
    batch, num_points, channels = points.shape
    centre = torch.stack([p.mean(0) for p in points]).unsqueeze(1)
    p = points - centre
    norms = points.new_full((batch, width * height), torch.inf)
    norms[:, :num_points] = (p * p).sum(2)
    p = F.pad(p, (0, 0, 0, width * height - num_points)).view(batch, width, height, channels)
    lanes = p.transpose(1, 2).reshape(batch, height * width, channels)
    return (
        lanes.transpose(1, 2),
        norms.view(batch, width, height).transpose(1, 2).contiguous(),
        query - centre,
    )


def _select_features(
    products: Tensor, norms: Tensor, query_norms: Tensor, num_points: int, found: np.ndarray
) -> None:
    p = products.view(*products.shape[:2], *norms.shape[1:]).numpy()
    n, q = norms.numpy(), query_norms.numpy()
    for_each_part(
        lambda b, i, j: nearest_features(p[b, i:j], n[b], q[b, i:j], num_points, found[b, i:j]),
        *q.shape,
    )


def ball_query(query: Tensor, points: Tensor, limit: float, k: int, skip_copies: bool) -> Tensor:
    """See :func:`pcdet_kd.ops.ball_query.ball_query_torch`."""
    q, p = to_numpy(query), to_numpy(points)
    found = torch.empty(*query.shape[:2], k, dtype=torch.int64)
    out, below, lanes = found.numpy(), np.float32(limit), lanes_of(p, COLUMNS_OF_A_BALL)
    for_each_part(
        lambda b, i, j: within(q[b, i:j], lanes[b], below, skip_copies, out[b, i:j]), *q.shape[:2]
    )
    return found.to(query.device)


def three_nn(query: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.three_interpolate.three_nn_torch`."""
    q, p, n = to_numpy(query), to_numpy(points), points.shape[1]
    index, squared = torch.empty(*q.shape[:2], 3, dtype=torch.int64), torch.empty(*q.shape[:2], 3)
    out, distances, lanes = index.numpy(), squared.numpy(), lanes_of(p, 3)

    def find(b: int, i: int, j: int) -> None:
        found = np.empty((j - i, min(3, n)), np.int64)
        nearest(q[b, i:j], lanes[b], n, found)
        three_of(q[b, i:j], p[b], found, out[b, i:j], distances[b, i:j])

    for_each_part(find, *q.shape[:2])
    return index.to(query.device), squared.to(query.device)
