"""The bijection between two clouds with the least total distance."""

import warnings

import numpy as np
import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_batch, check_choice, check_cloud, check_count
from pcdet_kd.ops.knn import squared_distances

TOLERANCE = 10  # the proven relative gap, in units of eps, beyond which the auction goes on past eps
BIDS_PER_POINT = 5000  # an auction takes 20 to 60; this ends one that rounding keeps alive


@torch.no_grad()
def emd_match(x: Tensor, y: Tensor, eps: float | None = None, return_certificate: bool = False, compat: str | None = None,
              iterations: int | None = None) -> Tensor | tuple[Tensor, Tensor]:
    """Match every point of x with a point of y of its own, so that the total distance is the least.

    Args:
        x: (B, N, 3) clouds, N >= 1. Duplicate points, and clouds far from the origin or from each other, are fine.
        y: (B, N, 3) clouds with as many points. Memory is O(N^2) per cloud in work.
        eps: Accuracy (None: 1e-5): the mean distance exceeds the least by at most ``eps`` times the longest side of the box
            around both clouds. Where that doesn't prove a relative gap of ``10 eps`` (0.01 %), the auction goes on with
            smaller values, down to what float32 resolves. With ``compat`` the auction's own eps, in the unit of the clouds
            (None: 0.05).
        return_certificate: Also return (B,) float32: what the mean distance exceeds the least by at most, in the unit of the
            clouds, as the auction's prices prove it up to rounding (0 from SciPy).
        compat: ``'msn'`` is the auction of MSN (Liu et al., 2020), which PointCMT's released code uses with eps 0.05 and
            3000 rounds: every free point bids at once, with one eps. Its mean distance is up to eps above the least (2 to
            9 % on 1024 points in the unit cube). In the last of ``iterations`` rounds points that are still free take
            their favourite without evicting anyone, so that the result need not be a bijection. The CUDA kernel leaves
            ties to chance; here the lowest index wins. Any N will do, and distances need not be below 3.
        iterations: With ``compat`` only: greatest number of rounds (None: 3000).

    Returns:
        (B, N) int64 indices into y for each point of x: a bijection, the same in every run. No gradient. Among bijections
        of equal length, which one is found is not specified (and differs between the auction and SciPy).

    CPU and CUDA tensors are matched by a numba kernel on the CPU, one cloud per thread; without numba by SciPy, which takes
    10 to 50 times as long. An auction that doesn't end (none is known) is finished greedily, with a warning.

    Raises:
        ValueError: Wrong or unequal shapes, unequal N, an option out of place, or values that are not finite.
    """
    check_cloud('x', x, channels=3)
    check_cloud('y', y, channels=3)
    check_batch(('x', 'y'), x, y)
    check_choice('compat', compat, (None, 'msn'))
    if x.shape[1] != y.shape[1]:
        raise ValueError(f'x {tuple(x.shape)} and y {tuple(y.shape)} need the same number of points: no bijection otherwise')
    if compat is None and iterations is not None:
        raise ValueError(f"iterations={iterations} needs compat='msn'")
    if compat == 'msn' and return_certificate:
        raise ValueError("return_certificate needs compat=None: the result of 'msn' need not be a bijection")
    eps = (1e-5 if compat is None else 0.05) if eps is None else eps
    if not 0 < eps < float('inf'):
        raise ValueError(f'eps is {eps!r}, expected a positive number')
    batch, num_points, _ = x.shape
    if num_points == 1:
        match, bound = torch.zeros(batch, 1, dtype=torch.int64), torch.zeros(batch)
    elif compat == 'msn':
        iterations = 3000 if iterations is None else iterations
        check_count('iterations', iterations, None, 'msn')
        match, bound = _match_msn(x, y, eps, iterations), torch.zeros(batch)
    else:
        match, bound = _match(x, y, eps)
    match = match.to(x.device)
    return (match, bound.to(x.device)) if return_certificate else match


def _match(x: Tensor, y: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    a, b, scale = _to_unit_size(x, y)
    kernels = backend.kernels('emd_match', x)
    if kernels is None:
        return emd_match_scipy(a, b), torch.zeros(len(a))
    num_points = a.shape[1]
    match = torch.empty(a.shape[:2], dtype=torch.int64)
    p, q, out, step = backend.to_numpy(a), backend.to_numpy(b), match.numpy(), np.float32(eps)
    outcomes = backend.for_each_cloud(
        lambda i: kernels.auction(p[i], q[i], step, TOLERANCE * eps, BIDS_PER_POINT * num_points, out[i]), len(a))
    for i, (total, gap, left) in enumerate(outcomes):
        if left:
            warnings.warn(f'emd_match: the auction of cloud {i} of x {tuple(x.shape)} stopped at its limit with '
                          f'{left} points free, which took what was left; the result is at most {gap / total:.2%} above '
                          'the optimum', stacklevel=3)
    return match, torch.tensor([gap / num_points for _, gap, _ in outcomes]) * scale.float()


def _to_unit_size(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return both clouds in float64 on the CPU, moved and scaled so that the box around them has side 1; and the scales."""
    a, b = x.detach().to('cpu', torch.float64), y.detach().to('cpu', torch.float64)
    low, high = (torch.stack([bound(a, 1), bound(b, 1)]) for bound in (torch.amin, torch.amax))
    low, high = low.amin(0)[:, None], high.amax(0)[:, None]
    scale = (high - low).amax(2, keepdim=True)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return (a - low) / scale, (b - low) / scale, scale[:, 0, 0]


def emd_match_scipy(x: Tensor, y: Tensor) -> Tensor:
    """Match float64 clouds on the CPU with SciPy's exact solver."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist
    return torch.from_numpy(np.stack([linear_sum_assignment(cdist(a, b))[1] for a, b in zip(x.numpy(), y.numpy())]))


def _match_msn(x: Tensor, y: Tensor, eps: float, iterations: int) -> Tensor:
    kernels = backend.kernels('emd_match', x)
    if kernels is None:
        return torch.stack([msn_auction_torch(a, b, eps, iterations) for a, b in zip(x.detach(), y.detach())])
    match = torch.empty(x.shape[:2], dtype=torch.int64)
    p, q, out, step = backend.to_numpy(x), backend.to_numpy(y), match.numpy(), np.float32(eps)
    backend.for_each_cloud(lambda i: kernels.jacobi_auction(p[i], q[i], step, iterations, out[i]), len(p))
    return match


def msn_auction_torch(x: Tensor, y: Tensor, eps: float, iterations: int) -> Tensor:
    """Match one pair of clouds (N, 3) as ``compat='msn'`` does, in plain torch on any device."""
    cost = squared_distances(x, y).double().sqrt().float()  # torch's float32 sqrt can be off by one bit, the kernel's isn't
    n = len(cost)
    rows = torch.arange(n, device=cost.device)
    price = cost.new_zeros(n)
    match, owner = rows.new_full((n,), -1), rows.new_full((n,), -1)
    for r in range(iterations):
        free = rows[match < 0]
        if not len(free):
            break
        value = cost[free] + price
        best, column = value.min(1)
        if r == iterations - 1:
            match[free] = column
            break
        bid = value.scatter(1, column[:, None], torch.inf).amin(1) - best + eps
        highest = cost.new_full((n,), -torch.inf).scatter_reduce(0, column, bid, 'amax')
        winner = rows.new_full((n,), n).scatter_reduce(0, column, torch.where(bid == highest[column], free, n), 'amin')
        sold = rows[winner < n]
        evicted = owner[sold]
        match[evicted[evicted >= 0]] = -1
        owner[sold] = winner[sold]
        match[winner[sold]] = sold
        price[sold] += highest[sold]
    return match
