"""Ball query: one warp per query, which stops when it has k points."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from pcdet_kd.ops.gpu.common import (
    ABSENT,
    OPTIONS,
    bits_of_distances,
    on_device,
    planes,
    power_of_2,
    rows,
)

CHUNK = 256


@triton.jit
def _within(
    query,
    points,
    found,
    num_queries,
    num_points,
    limit,
    k,
    BLOCK: tl.constexpr,
    SLOTS: tl.constexpr,
    SKIP_COPIES: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    cloud = row // num_queries
    points += cloud * 3 * num_points
    found += row * k
    x, y, z = tl.load(query + row * 3), tl.load(query + row * 3 + 1), tl.load(query + row * 3 + 2)
    hits, start = 0, 0
    first = ABSENT
    while (start < num_points) & (hits < k):
        n = start + tl.arange(0, BLOCK)
        bits = bits_of_distances(points, num_points, n, x, y, z)
        hit = (bits != ABSENT) & (bits.to(tl.float32, bitcast=True) < limit)
        if SKIP_COPIES:
            hit &= bits > 0
        mark = hit.to(tl.int32)
        rank = hits + tl.cumsum(mark, 0) - mark
        tl.store(found + rank, n, hit & (rank < k))
        first = tl.minimum(first, tl.min(tl.where(hit, n, ABSENT), 0))
        hits += tl.sum(mark, 0)
        start += BLOCK
    slot = tl.arange(0, SLOTS)
    padding = tl.zeros((SLOTS,), tl.int32) + tl.where(hits > 0, first, 0)
    tl.store(found + slot, padding, (slot >= hits) & (slot < k))


def ball_query(query: Tensor, points: Tensor, limit: float, k: int, skip_copies: bool) -> Tensor:
    """See :func:`pcdet_kd.ops.ball_query.ball_query_torch`."""
    batch, num_queries, _ = query.shape
    num_points = points.shape[1]
    query, points = rows(query), planes(points)
    found = torch.empty(batch, num_queries, k, dtype=torch.int64, device=query.device)
    with on_device(query):
        _within[(batch * num_queries,)](
            query,
            points,
            found,
            num_queries,
            num_points,
            limit,
            k,
            BLOCK=min(power_of_2(num_points), CHUNK),
            SLOTS=power_of_2(k),
            SKIP_COPIES=skip_copies,
            num_warps=1,
            **OPTIONS,
        )
    return found
