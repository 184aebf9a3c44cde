"""Matching two clouds by auction: rows (the points of x) bid for columns (the points of y)."""

import warnings

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import FAST, INFINITY, OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, sizes, to_numpy
from pcdet_kd.ops.emd_match import emd_match_torch, to_unit_size

TOLERANCE = 10  # the proven relative gap, in units of eps, beyond which the auction goes on past eps
BIDS_PER_POINT = 5000  # an auction takes 20 to 60; this ends one that rounding keeps alive
LANES = 64  # running minima kept side by side, so that the search for the two least values is vectorised


@njit(fastmath=FAST, **OPTIONS)
def costs(x, y):
    """Return the distances (N, N) float32 of x (N, 3) and y (N, 3)."""
    n = x.shape[0]
    out = np.empty((n, n), np.float32)
    yx, yy, yz = y[:, 0].copy(), y[:, 1].copy(), y[:, 2].copy()
    for i in range(n):
        ax, ay, az = x[i, 0], x[i, 1], x[i, 2]
        row = out[i]
        for j in range(n):
            dx = yx[j] - ax
            dy = yy[j] - ay
            dz = yz[j] - az
            row[j] = np.sqrt(dx * dx + dy * dy + dz * dz)
    return out


@njit(fastmath=FAST, **OPTIONS)
def two_least(cost, price, first, second):
    """Return the least and second least of cost + price, and the lowest index of the least.

    ``first`` and ``second`` are scratch rows of ``LANES`` values. One column alone has an infinite second.
    """
    n = cost.size
    for lane in range(LANES):
        first[lane] = INFINITY
        second[lane] = INFINITY
    whole = n - n % LANES
    for a in range(0, whole, LANES):
        for lane in range(LANES):
            v = cost[a + lane] + price[a + lane]
            old = first[lane]
            second[lane] = min(second[lane], max(old, v))
            first[lane] = min(old, v)
    for i in range(whole, n):
        lane = i - whole
        v = cost[i] + price[i]
        old = first[lane]
        second[lane] = min(second[lane], max(old, v))
        first[lane] = min(old, v)
    best = first[0]
    for lane in range(1, LANES):
        best = min(best, first[lane])
    runner_up, index = INFINITY, n
    for lane in range(LANES):
        if first[lane] == best:
            if index < n:
                runner_up = best
            else:
                runner_up = min(runner_up, second[lane])
            j = lane
            while cost[j] + price[j] != best:
                j += LANES
            index = min(index, j)
        else:
            runner_up = min(runner_up, first[lane])
    return best, runner_up, index


@njit(**OPTIONS)
def gap(cost, price, match, first, second):
    """Return the total cost of a bijection and how far it is from the optimum at most (weak duality)."""
    total, dual = 0.0, 0.0
    for i in range(cost.shape[0]):
        best, _, _ = two_least(cost[i], price, first, second)
        total += cost[i, match[i]]
        dual += np.float64(best) - np.float64(price[i])
    return total, max(total - dual, 0.0)


@njit(**OPTIONS)
def auction(x, y, eps, tolerance, max_bids, match):
    """Fill ``match`` (N,) int64 with a bijection from x (N, 3) to y (N, 3) of nearly least total distance.

    Gauss-Seidel auction with eps scaling: one row bids at a time, raising its column's price by its advantage over the
    next best plus eps, and whoever is outbid queues again. Each phase divides eps by five and keeps the prices. Past the
    ``eps`` (float32) that was asked for it goes on only while the gap is not proven to be within ``tolerance`` of the
    total. A row that is still free after ``max_bids`` takes the nearest free column.

    The clouds should have about unit size. Returns the total distance, the proven gap, and the number of such rows.
    """
    n = x.shape[0]
    cost = costs(x, y)
    price, owner, queue = np.zeros(n, np.float32), np.empty(n, np.int64), np.empty(n, np.int64)
    price_bits = price.view(np.int32)
    first, second = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    step, bids = np.float32(0.1), 0
    total, bound = 0.0, 0.0
    left = 0
    while True:
        for i in range(n):
            match[i], owner[i], queue[i] = -1, -1, i
        head, left = 0, n
        while left > 0 and bids < max_bids:
            i = queue[head]
            head = head + 1 if head + 1 < n else 0
            left -= 1
            bids += 1
            best, runner_up, j = two_least(cost[i], price, first, second)
            raised = price[j] + ((runner_up - best) + step)
            if raised > price[j]:
                price[j] = raised
            else:
                price_bits[j] += 1  # the next float: a bid always raises the price, or the auction might never end
            previous = owner[j]
            owner[j], match[i] = i, j
            if previous >= 0:
                match[previous] = -1
                tail = head + left
                queue[tail if tail < n else tail - n] = previous
                left += 1
        if left > 0:
            _take_nearest_free(cost, owner, match)
        total, bound = gap(cost, price, match, first, second)
        if left > 0 or (step <= eps and (bound <= tolerance * total or step < 1e-6)):
            break
        step = max(step * np.float32(0.2), eps) if step > eps else step * np.float32(0.2)
    return total, bound, left


@njit(**OPTIONS)
def _take_nearest_free(cost, owner, match):
    n = cost.shape[0]
    for i in range(n):
        if match[i] < 0:
            best, index = INFINITY, -1
            for j in range(n):
                if owner[j] < 0 and (index < 0 or cost[i, j] < best):
                    best, index = cost[i, j], j
            match[i], owner[index] = index, i


@njit(**OPTIONS)
def jacobi_auction(x, y, eps, iterations, match):
    """Fill ``match`` (N,) int64 as the auction of MSN does: all free rows bid at once, eps stays as it is.

    A column takes the greatest raise (the lowest row on ties). In the last round each row that is still free takes its
    favourite and evicts nobody, so that columns may then be shared. Stops when no row is free, which changes nothing.
    """
    n = x.shape[0]
    cost = costs(x, y)
    price, owner = np.zeros(n, np.float32), np.full(n, -1, np.int64)
    raise_by, bidder = np.empty(n, np.float32), np.empty(n, np.int64)
    first, second = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    match[:] = -1
    for r in range(iterations):
        bidder[:] = -1
        free = 0
        for i in range(n):
            if match[i] >= 0:
                continue
            free += 1
            best, runner_up, j = two_least(cost[i], price, first, second)
            if r == iterations - 1:
                match[i] = j
                continue
            bid = (runner_up - best) + eps
            if bidder[j] < 0 or bid > raise_by[j]:
                bidder[j], raise_by[j] = i, bid
        if free == 0:
            break
        for j in range(n):
            if bidder[j] >= 0:
                if owner[j] >= 0:
                    match[owner[j]] = -1
                owner[j] = bidder[j]
                match[bidder[j]] = j
                price[j] += raise_by[j]


def emd_match(x: Tensor, y: Tensor, lengths: Tensor | None, eps: float, exact: bool) -> tuple[Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.emd_match.emd_match_torch`."""
    if exact:
        return emd_match_torch(x, y, lengths, eps, exact)
    a, b, scale = (v.cpu() for v in to_unit_size(x, y, lengths))
    match = torch.arange(a.shape[1]).repeat(len(a), 1)
    p, q, out, step, n = to_numpy(a), to_numpy(b), match.numpy(), np.float32(eps), sizes(lengths, *a.shape[:2])
    known = scale.isfinite().tolist()

    def solve(i: int) -> tuple[float, float, int]:
        if not known[i]:
            return np.nan, np.nan, 0
        if n[i] == 1:
            return 0.0, 0.0, 0
        return auction(p[i, :n[i]], q[i, :n[i]], step, TOLERANCE * eps, BIDS_PER_POINT * n[i], out[i, :n[i]])

    outcomes = for_each_cloud(solve, len(a))
    for i, (total, bound, left) in enumerate(outcomes):
        if left:
            warnings.warn(f'emd_match: the auction of cloud {i} of x {tuple(x.shape)} stopped at its limit with '
                          f'{left} points free, which took what was left; the result is at most {bound / total:.2%} above '
                          'the optimum', stacklevel=3)
    bounds = torch.tensor([bound / m for (_, bound, _), m in zip(outcomes, n)], dtype=torch.float64) * scale
    return match.to(x.device), bounds.to(x.device, torch.float32)


def msn_match(x: Tensor, y: Tensor, eps: float, iterations: int) -> Tensor:
    """See :func:`pcdet_kd.ops.emd_match.msn_match_torch`."""
    match = torch.zeros(x.shape[:2], dtype=torch.int64)
    p, q, out, step = to_numpy(x), to_numpy(y), match.numpy(), np.float32(eps)
    if x.shape[1] > 1:
        for_each_cloud(lambda i: jacobi_auction(p[i], q[i], step, iterations, out[i]), len(p))
    return match.to(x.device)
