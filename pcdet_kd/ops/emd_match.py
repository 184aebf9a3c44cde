"""The bijection between two clouds with the least total distance."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_clouds, check_count
from pcdet_kd.ops.knn import squared_distances
from pcdet_kd.utils.arguments import check_choice


def emd_match(
    x: Tensor,
    y: Tensor,
    eps: float | None = None,
    return_certificate: bool = False,
    compat: str | None = None,
    iterations: int | None = None,
    exact: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Match every point of x with a point of y of its own, so that the total distance is the least.

    Args:
        x: (B, N, 3) clouds, N >= 1. Duplicate points, and clouds far from the origin or from each
            other, are fine.
        y: (B, N, 3) clouds with as many points.
        eps: Accuracy (None: 2e-6): the mean distance exceeds the least by at most ``eps`` times the
            longest side of the box around both clouds. Where that does not prove a relative gap of
            ``10 eps`` (0.002 %), the auction goes on with smaller values, down to what float32
            resolves. What it finds is far better than what it proves: on 1024 points, uniform or on
            surfaces, no pair was 2e-7 above the optimum. With ``compat`` the auction's own eps, in
            the unit of the clouds (None: 0.05).
        return_certificate: Also return (B,) float32: what the mean distance exceeds the least by at
            most, in the unit of the clouds, as the auction's prices prove it up to rounding (0 from
            SciPy).
        compat: ``'msn'`` is the auction of MSN (Liu et al., 2020), which PointCMT's released code
            uses with eps 0.05 and 3000 rounds: every free point bids at once, with one eps. Its
            mean distance is up to eps above the least (2 to 9 % on 1024 points in the unit cube).
            In the last of ``iterations`` rounds points that are still free take their favourite
            without evicting anyone, so that the result need not be a bijection. The CUDA kernel
            leaves ties to chance; here the lowest index wins. Any N will do, and distances need not
            be below 3.
        iterations: With ``compat`` only: greatest number of rounds (None: 3000).
        exact: Finish with shortest augmenting paths in float64, so that the total is the least up
            to float64 rounding. ``eps`` then says where the auction hands over, and changes the
            time only.

    Returns:
        (B, N) int64 indices into y for each point of x: a bijection, the same in every run. No
        gradient. Among bijections of equal length, which one is found is not specified (and differs
        between the auction and SciPy).

    The numba kernel for the CPU works on one cloud per thread and needs N^2 / 16 bytes for it.
    Without it SciPy matches, which takes 30 to 200 times as long and N^2 float64. An auction that
    does not end (none is known) is finished greedily, with a warning. A cloud with values that are
    not finite, which ``ops.use(check_values=False)`` lets pass, is matched row by row, with a
    certificate of NaN.

    Raises:
        ValueError: Wrong or unequal shapes, unequal N, an option out of place, or values that are
            not finite.
    """
    check_clouds(('x', 'y'), x, y, channels=3)
    check_choice('compat', compat, (None, 'msn'))
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f'x {tuple(x.shape)} and y {tuple(y.shape)} need the same number of points, '
            'to be matched one to one'
        )
    if compat is None and iterations is not None:
        raise ValueError(f"iterations={iterations} needs compat='msn'")
    if compat == 'msn' and return_certificate:
        raise ValueError(
            "return_certificate needs compat=None: the result of 'msn' need not be a bijection"
        )
    if compat == 'msn' and exact:
        raise ValueError("exact=True needs compat=None: the auction of 'msn' is approximate")
    eps = (2e-6 if compat is None else 0.05) if eps is None else eps
    if not 0 < eps < float('inf'):
        raise ValueError(f'eps is {eps!r}, expected a positive number')
    if compat == 'msn':
        iterations = 3000 if iterations is None else iterations
        check_count('iterations', iterations, None, 'msn')
        return _msn_match(x.detach(), y.detach(), eps, iterations)
    match, bound = _emd_match(x.detach(), y.detach(), eps, exact)
    return (match, bound) if return_certificate else match


def to_unit_size(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return both clouds in float64, moved and scaled so that the box around them has side 1, and
    the scales (B,).

    The scale is not finite where a point is not.
    """
    a, b = x.detach().double(), y.detach().double()
    low = torch.minimum(a.amin(1, keepdim=True), b.amin(1, keepdim=True))
    high = torch.maximum(a.amax(1, keepdim=True), b.amax(1, keepdim=True))
    scale = (high - low).amax(2, keepdim=True)
    scale = scale.masked_fill(scale == 0, 1)
    return (a - low) / scale, (b - low) / scale, scale[:, 0, 0]


def unfinished(cloud: int, x: Tensor, left: int, gap: float) -> str:
    """Return the warning of an auction that stopped at its limit with ``left`` points unmatched."""
    return (
        f'emd_match: the auction of cloud {cloud} of x {tuple(x.shape)} stopped at its limit with '
        f'{left} points unmatched. Each of them was given a point that was still free. The mean '
        f'distance is at most {gap:.2%} above the least'
    )


def emd_match_torch(x: Tensor, y: Tensor, eps: float, exact: bool) -> tuple[Tensor, Tensor]:
    """The same by SciPy's exact solver, on a copy of clouds on other devices.

    Args:
        x: (B, N, 3).
        y: (B, N, 3).
        eps: Not needed here.
        exact: Not needed here.

    Returns:
        The bijections (B, N) int64, and what the mean distances exceed the least by at most (B,)
        float32.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    a, b, scale = (v.cpu() for v in to_unit_size(x, y))
    match = torch.arange(a.shape[1]).repeat(len(a), 1)
    known = scale.isfinite()
    for i in known.nonzero()[:, 0].tolist():
        match[i] = torch.from_numpy(linear_sum_assignment(cdist(a[i].numpy(), b[i].numpy()))[1])
    return match.to(x.device), torch.zeros(len(a)).masked_fill(~known, torch.nan).to(x.device)


def all_finite(x: Tensor, y: Tensor) -> Tensor:
    """Return (B,) whether all values of both clouds are finite."""
    return torch.isfinite(x).flatten(1).all(1) & torch.isfinite(y).flatten(1).all(1)


def msn_match_torch(x: Tensor, y: Tensor, eps: float, iterations: int) -> Tensor:
    """``compat='msn'`` in plain torch on any device, one pair after the other. See
    :func:`emd_match` for the arguments.
    """
    identity = torch.arange(x.shape[1], device=x.device)
    return torch.stack(
        [
            _msn_auction(a, b, eps, iterations) if known else identity
            for a, b, known in zip(x.detach(), y.detach(), all_finite(x, y).tolist())
        ]
    )


def _msn_auction(x: Tensor, y: Tensor, eps: float, iterations: int) -> Tensor:
    """Match one pair of clouds (N, 3) with all free rows bidding at once."""
    cost = (
        squared_distances(x, y).double().sqrt().float()
    )  # torch's float32 sqrt can be off by one bit, the kernel's is not
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
        winner = rows.new_full((n,), n).scatter_reduce(
            0, column, torch.where(bid == highest[column], free, n), 'amin'
        )
        sold = rows[winner < n]
        evicted = owner[sold]
        match[evicted[evicted >= 0]] = -1
        owner[sold] = winner[sold]
        match[winner[sold]] = sold
        price[sold] += highest[sold]
    return match


_emd_match = backend.define(
    emd_match_torch,
    lambda x, y, eps, exact: (
        x.new_empty(x.shape[:2], dtype=torch.int64),
        x.new_empty(x.shape[0], dtype=torch.float32),
    ),
)
_msn_match = backend.define(
    msn_match_torch,
    lambda x, y, eps, iterations: x.new_empty(x.shape[:2], dtype=torch.int64),
)
