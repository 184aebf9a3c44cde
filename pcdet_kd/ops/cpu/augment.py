"""Making a nearly optimal bijection optimal: shortest augmenting paths from the prices of an
auction, in float64.
"""

import numpy as np
from numba import njit

from pcdet_kd.ops.cpu.options import FAST, OPTIONS

TIGHT = (
    1e-15  # a pair within this of its row's least value, for clouds of unit size, is as good as it
)
LAST = np.int64(2**63 - 1)


@njit(fastmath=FAST, **OPTIONS)
def distances(x, y, z, px, py, pz, out):
    """Fill ``out`` with the distances of points (x, y, z) to (px, py, pz)."""
    for j in range(out.size):
        dx = x[j] - px
        dy = y[j] - py
        dz = z[j] - pz
        out[j] = np.sqrt(dx * dx + dy * dy + dz * dz)


@njit(**OPTIONS)
def least(bits):
    """Return the least of an int64 row, such as the bits of float64 values >= 0."""
    m = LAST
    for j in range(bits.size):
        m = min(m, bits[j])
    return m


@njit(fastmath=FAST, **OPTIONS)
def relax(cost, price, base, reached, closed, row, way, previous):
    """Lower ``way`` to ``cost + price - base``, but not below ``reached``, and note the row;
    ``closed`` columns stay.
    """
    for j in range(way.size):
        t = max(cost[j] + price[j] - base, reached) + closed[j]
        shorter = t < way[j]
        previous[j] = row if shorter else previous[j]
        way[j] = t if shorter else way[j]


@njit(**OPTIONS)
def finish(x, y, price, match):
    """Make ``match`` (N,) int64 the bijection from x (N, 3) to y (N, 3) of least total distance;
    return its total and gap.

    Jonker and Volgenant's last phase: with ``price`` (N,), all >= 0, each row's least value of
    distance + price is a lower bound of what it costs. Prices are lowered as far as these bounds
    allow; pairs that then reach their bound stay, and every other row finds the way of least extra
    cost over the others' columns to a free one. All arrays are float64, the clouds of about unit
    size. ``price`` is changed in place. The gap is how far the total is from the optimum at most:
    rounding.
    """
    n = x.shape[0]
    yx, yy, yz = y[:, 0].copy(), y[:, 1].copy(), y[:, 2].copy()
    cost, value = np.empty(n), np.empty(n)
    value_bits = value.view(np.int64)
    bound = np.empty(n)
    for i in range(n):
        distances(yx, yy, yz, x[i, 0], x[i, 1], x[i, 2], cost)
        value[:] = cost + price
        value_bits[0] = least(value_bits)
        bound[i] = value[0]
    price[:] = -np.inf
    for i in range(n):
        distances(yx, yy, yz, x[i, 0], x[i, 1], x[i, 2], cost)
        for j in range(n):
            price[j] = max(price[j], bound[i] - cost[j])
    owner = np.full(n, -1)
    free, count = np.empty(n, np.int64), 0
    for i in range(n):
        j = match[i]
        c = np.sqrt((yx[j] - x[i, 0]) ** 2 + (yy[j] - x[i, 1]) ** 2 + (yz[j] - x[i, 2]) ** 2)
        if c + price[j] - bound[i] <= TIGHT:
            owner[j] = i
        else:
            match[i] = -1
            free[count] = i
            count += 1
    way, previous, closed = np.empty(n), np.empty(n, np.int64), np.zeros(n)
    way_bits = way.view(np.int64)
    seen, seen_at = np.empty(n, np.int64), np.empty(n)
    for f in range(count):
        row, base, reached, visited = free[f], bound[free[f]], 0.0, 0
        way[:] = np.inf
        while True:
            distances(yx, yy, yz, x[row, 0], x[row, 1], x[row, 2], cost)
            if visited > 0:
                j = seen[visited - 1]
                base = cost[j] + price[j] - reached
            relax(cost, price, base, reached, closed, row, way, previous)
            lowest, j = least(way_bits), 0
            while way_bits[j] != lowest:
                j += 1
            reached = way[j]
            if owner[j] < 0:
                break
            seen[visited], seen_at[visited] = j, reached
            visited += 1
            way[j] = closed[j] = np.inf
            row = owner[j]
        for k in range(visited):
            price[seen[k]] += reached - seen_at[k]
            closed[seen[k]] = 0.0
        while True:
            row = previous[j]
            owner[j] = row
            j, match[row] = match[row], j
            if row == free[f]:
                break
    total, gap = 0.0, 0.0
    for i in range(n):
        distances(yx, yy, yz, x[i, 0], x[i, 1], x[i, 2], cost)
        value[:] = cost + price
        c = cost[match[i]]
        value_bits[0] = least(value_bits)
        total += c
        gap += (c - value[0]) + price[match[i]]
    return total, max(gap, 0.0)
