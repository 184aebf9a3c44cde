"""Points sorted into blocks of neighbours, the leaves of a kd-tree, with bounds of the distances to
them: what the auctions search.
"""

import numpy as np
from numba import njit

from pcdet_kd.ops.cpu.options import INFINITY, OPTIONS

BLOCK = 64  # columns that are searched at once
BOUNDS = 16  # bounds of blocks that are compared at once


@njit(**OPTIONS)
def leaf_order(points):
    """Return an order of the points (N, 3) that makes each run of ``BLOCK`` the leaf of a
    kd-tree.
    """
    n = points.shape[0]
    order = np.arange(n)
    todo = [(0, n)]
    while len(todo) > 0:
        start, end = todo.pop()
        if end - start <= BLOCK:
            order[start:end].sort()  # ties go to the lowest index
            continue
        axis, widest = 0, np.float32(-1)
        for c in range(3):
            low = high = points[order[start], c]
            for i in range(start, end):
                low, high = min(low, points[order[i], c]), max(high, points[order[i], c])
            if high - low > widest:
                axis, widest = c, high - low
        middle = start + (end - start + BLOCK - 1) // BLOCK // 2 * BLOCK
        left, right = start, end - 1
        while left < right:  # quickselect
            pivot, i, j = points[order[(left + right) // 2], axis], left, right
            while i <= j:
                while points[order[i], axis] < pivot:
                    i += 1
                while points[order[j], axis] > pivot:
                    j -= 1
                if i <= j:
                    order[i], order[j] = order[j], order[i]
                    i, j = i + 1, j - 1
            if middle <= j:
                right = j
            elif middle >= i:
                left = i
            else:
                break
        todo.append((start, middle))
        todo.append((middle, end))
    return order


@njit(**OPTIONS)
def blocks_of(x, y):
    """Return what a search needs, for x (N, 3) and y (N, 3).

    The columns: order (M,) of the points of y, with M a multiple of ``BLOCK``; their coordinates,
    three of (M,); prices (M,), 0 for real ones and infinite for those that fill the last block. And
    bounds (N, blocks) of each row's values in each block, infinite for those that fill the last
    ``BOUNDS``.
    """
    n = x.shape[0]
    blocks = (n + BLOCK - 1) // BLOCK
    order, columns = np.zeros(blocks * BLOCK, np.int64), np.zeros((3, blocks * BLOCK), np.float32)
    order[:n] = leaf_order(y)
    price = np.zeros(order.size, np.float32)
    price[n:] = INFINITY
    low, high = np.full((3, blocks), INFINITY), np.full((3, blocks), -INFINITY)
    for j in range(n):
        k = j // BLOCK
        for c in range(3):
            v = y[order[j], c]
            columns[c, j], low[c, k], high[c, k] = v, min(low[c, k], v), max(high[c, k], v)
    bounds = np.full((n, (blocks + BOUNDS - 1) // BOUNDS * BOUNDS), INFINITY)
    zero = np.float32(0)
    for i in range(n):
        px, py, pz, row = x[i, 0], x[i, 1], x[i, 2], bounds[i]
        for k in range(blocks):
            dx = max(max(low[0, k] - px, px - high[0, k]), zero)
            dy = max(max(low[1, k] - py, py - high[1, k]), zero)
            dz = max(max(low[2, k] - pz, pz - high[2, k]), zero)
            row[k] = np.sqrt(
                dx * dx + dy * dy + dz * dz
            )  # rounding is monotonic, so no distance is below it
    return order, columns[0], columns[1], columns[2], price, bounds
