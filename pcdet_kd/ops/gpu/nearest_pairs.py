"""The nearest point of another cloud, for each point of both: what the Chamfer distance needs."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from pcdet_kd.ops.gpu.common import ABSENT, OPTIONS, on_device, planes

QUERIES, CHUNK = 32, 64


@triton.jit
def _nearest_one(
    query,
    points,
    found,
    num_queries,
    num_points,
    tiles,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    # a tile of queries x candidates; each element keeps the best of its residue class, one
    # reduction at the end
    cloud = (tl.program_id(0) // tiles).to(tl.int64)
    s = tl.program_id(0) % tiles * ROWS + tl.arange(0, ROWS)
    real = s < num_queries
    query += cloud * 3 * num_queries
    points += cloud * 3 * num_points
    x = tl.load(query + s, real, 0.0)[:, None]
    y = tl.load(query + num_queries + s, real, 0.0)[:, None]
    z = tl.load(query + 2 * num_queries + s, real, 0.0)[:, None]
    best = tl.full((ROWS, BLOCK), ABSENT, tl.int32)
    at = tl.zeros((ROWS, BLOCK), tl.int32)  # stays where all distances are NaN
    for start in range(0, num_points, BLOCK):
        n = start + tl.arange(0, BLOCK)
        inside = n < num_points
        dx = tl.load(points + n, inside, 0.0)[None, :] - x
        dy = tl.load(points + num_points + n, inside, 0.0)[None, :] - y
        dz = tl.load(points + 2 * num_points + n, inside, 0.0)[None, :] - z
        squared = dx * dx + dy * dy + dz * dz
        bits = tl.where(inside[None, :], squared.to(tl.int32, bitcast=True), ABSENT)
        at = tl.where(bits < best, n[None, :], at)
        best = tl.minimum(bits, best)
    least = tl.min(best, 1)
    tl.store(
        found + cloud * num_queries + s,
        tl.min(tl.where(best == least[:, None], at, ABSENT), 1),
        real,
    )


def nearest_pairs(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.chamfer_distance.nearest_pairs_torch`."""
    x, y = planes(x), planes(y)
    return _nearest(x, y), _nearest(y, x)


def _nearest(query: Tensor, points: Tensor) -> Tensor:
    batch, _, num_queries = query.shape
    found = torch.empty(batch, num_queries, dtype=torch.int64, device=query.device)
    tiles = triton.cdiv(num_queries, QUERIES)
    with on_device(query):
        _nearest_one[(tiles * batch,)](
            query,
            points,
            found,
            num_queries,
            points.shape[2],
            tiles,
            ROWS=QUERIES,
            BLOCK=CHUNK,
            num_warps=4,
            **OPTIONS,
        )
    return found
