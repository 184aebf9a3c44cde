"""Neighbours within a radius."""

import math

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_clouds, check_count
from pcdet_kd.ops.knn import squared_distances
from pcdet_kd.utils.arguments import check_choice


def ball_query(
    query: Tensor,
    points: Tensor,
    radius: float,
    k: int,
    compat: str | None = None,
    skip_copies: bool = False,
) -> Tensor:
    """Find up to k points within a radius of each query: the first k in storage order, not the
    nearest.

    Args:
        query: (B, S, 3) centres.
        points: (B, N, 3) candidates.
        radius: Greatest distance, in the units of the points, > 0.
        k: Number of indices per query; may exceed N.
        compat: ``'pointnet2'`` counts d^2 < r^2, as the CUDA kernel of pointnet2_ops does; None
            counts d^2 <= r^2, as the PyTorch ports of PointNet++ do.
        skip_copies: Points at distance 0 are not hits: neither the point that a query was taken
            from nor its copies.

    Returns:
        (B, S, k) int64 indices into N, ascending. A query with fewer than k hits repeats its first
        hit; one without any (which a centre taken from ``points`` never is, unless copies are
        skipped) gets index 0, as in pointnet2_ops. No gradient.

    Distances are computed in float32, and r^2 is rounded to float32. Squares of differences below
    1e-23 vanish there.

    Raises:
        ValueError: Wrong or unequal shapes, a radius or k that is not positive, or values that are
            not finite.
    """
    check_clouds(('query', 'points'), query, points, channels=3)
    check_count('k', k, None, 'points')
    check_choice('compat', compat, (None, 'pointnet2'))
    if not 0 < radius < float('inf'):
        raise ValueError(f'radius is {radius!r}, expected a positive number')
    return _ball_query(
        query.detach(),
        points.detach(),
        _limit(radius, compat == 'pointnet2'),
        k,
        skip_copies,
    )


def _limit(radius: float, strict: bool) -> float:
    """Return the float32 number that the squared distances of hits lie below.

    For floats, d <= r^2 is d < (the next number above r^2), so that the kernels need one comparison
    only. Plain arithmetic, because torch.compile follows it.
    """
    if radius * radius >= 2.0**127:  # beyond float32, or nearly
        return math.inf
    mantissa, exponent = math.frexp(radius * radius)
    step = 2.0 ** max(exponent - 24, -149)  # between neighbouring float32 numbers
    squared = round(math.ldexp(mantissa, exponent) / step) * step
    return squared if strict else squared + step


def ball_query_torch(
    query: Tensor, points: Tensor, limit: float, k: int, skip_copies: bool
) -> Tensor:
    """The same in plain torch, on any device: indices with d^2 < ``limit``, one cloud at a time to
    bound the memory.
    """
    found = query.new_zeros(*query.shape[:2], k, dtype=torch.int64)
    for b, (q, p) in enumerate(zip(query.detach(), points.detach())):
        squared = squared_distances(q, p)
        hit = squared < limit
        if skip_copies:
            hit &= squared > 0
        row, column = hit.nonzero(as_tuple=True)
        hits = torch.bincount(row, minlength=len(q))
        rank = torch.arange(len(row), device=row.device) - (hits.cumsum(0) - hits)[row]
        first = rank == 0
        found[b, row[first]] = column[first, None]
        keep = rank < k
        found[b, row[keep], rank[keep]] = column[keep]
    return found


_ball_query = backend.define(
    ball_query_torch,
    lambda query, points, limit, k, skip_copies: query.new_empty(
        *query.shape[:2], k, dtype=torch.int64
    ),
)
