"""Nearest neighbours: one warp per query, which keeps its distances in registers and takes the
least, k times.
"""

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

IN_REGISTERS = 2048  # candidates that fit in the registers of one warp
CHUNK = 1024
MATRIX_BYTES = (
    32 << 20
)  # of the distances that lie in memory at once, in feature space: a part of the GPU's cache


@triton.jit
def _bits(query, points, matrix, row, cloud, num_points, n):
    if matrix is not None:
        inside = n < num_points
        return tl.where(
            inside,
            tl.load(matrix + row * num_points + n, inside, 0.0).to(tl.int32, bitcast=True),
            ABSENT,
        )
    else:
        x, y, z = (
            tl.load(query + row * 3),
            tl.load(query + row * 3 + 1),
            tl.load(query + row * 3 + 2),
        )
        return bits_of_distances(points + cloud * 3 * num_points, num_points, n, x, y, z)


@triton.jit
def _nearest(
    query,
    points,
    matrix,
    found,
    squared,
    num_queries,
    num_points,
    k,
    BLOCK: tl.constexpr,
    SLOTS: tl.constexpr,
):
    # SLOTS = 0: all candidates fit in BLOCK; else the k best so far lie in SLOTS slots, and BLOCK
    # candidates come at a time
    row = tl.program_id(0).to(tl.int64)
    cloud = row // num_queries
    lane = tl.arange(0, BLOCK)
    if SLOTS == 0:
        bits = _bits(query, points, matrix, row, cloud, num_points, lane)
        index = lane
    else:
        slot = tl.arange(0, SLOTS)
        bits = tl.where(slot < k, ABSENT, -1)  # a slot too many is never the worst
        # all different, so that one slot at a time is replaced; what stays, as for a NaN, is a
        # point too
        index = slot
        worst = tl.max(bits, 0)
        for start in range(0, num_points, BLOCK):
            n = start + lane
            new = _bits(query, points, matrix, row, cloud, num_points, n)
            least = tl.min(new, 0)
            while least < worst:  # an equal distance has a higher index than those kept
                at = tl.min(tl.where(new == least, n, ABSENT), 0)
                last = tl.max(tl.where(bits == worst, index, -1), 0)
                replaced = (bits == worst) & (index == last)
                bits = tl.where(replaced, least, bits)
                index = tl.where(replaced, at, index)
                worst = tl.max(bits, 0)
                new = tl.where(n == at, ABSENT, new)
                least = tl.min(new, 0)
        bits = tl.where(slot < k, bits, ABSENT)
    for i in range(k):
        least = tl.min(bits, 0)
        at = tl.min(tl.where(bits == least, index, ABSENT), 0)
        tl.store(found + row * k + i, at)
        if squared is not None:
            tl.store(squared + row * k + i, least.to(tl.float32, bitcast=True))
        bits = tl.where(index == at, ABSENT, bits)


def nearest(
    query: Tensor | None,
    points: Tensor | None,
    matrix: Tensor | None,
    found: Tensor,
    squared: Tensor | None,
    num_points: int,
) -> None:
    """Fill ``found`` (B, S, k) int64 and, if given, ``squared`` (B, S, k) float32, nearest first.

    Args:
        query: (B, S, 3) float32, contiguous.
        points: (B, 3, N) float32, contiguous.
        matrix: (B, S, N) float32 squared distances, contiguous, instead of both.
        found: Output.
        squared: Output or None.
        num_points: N.
    """
    batch, num_queries, k = found.shape
    fits = num_points <= IN_REGISTERS
    block = power_of_2(num_points) if fits else CHUNK
    with on_device(found):
        _nearest[(batch * num_queries,)](
            query,
            points,
            matrix,
            found,
            squared,
            num_queries,
            num_points,
            k,
            BLOCK=block,
            SLOTS=0 if fits else power_of_2(k),
            num_warps=1,
            **OPTIONS,
        )


def knn(query: Tensor, points: Tensor, k: int) -> Tensor:
    """See :func:`pcdet_kd.ops.knn.knn_torch`; in feature space the distances of a few clouds at a
    time lie in memory.

    There, cuBLAS computes the products as ``torch.set_float32_matmul_precision`` says, as it does
    for plain torch.
    """
    batch, num_queries, channels = query.shape
    num_points = points.shape[1]
    found = torch.empty(batch, num_queries, k, dtype=torch.int64, device=query.device)
    if channels == 3:
        nearest(rows(query), planes(points), None, found, None, num_points)
        return found
    for part in torch.arange(batch).split(max(1, MATRIX_BYTES // (4 * num_queries * num_points))):
        clouds = slice(int(part[0]), int(part[-1]) + 1)
        nearest(
            None,
            None,
            _feature_distances(rows(query[clouds]), rows(points[clouds])),
            found[clouds],
            None,
            num_points,
        )
    return found


def _feature_distances(query: Tensor, points: Tensor) -> Tensor:
    """Return (B, S, N) squared distances by a matrix product of centred features, never
    negative.
    """
    centre = points.mean(1, keepdim=True)
    q, p = query - centre, points - centre
    with torch.autocast(q.device.type, enabled=False):
        d = torch.baddbmm((p * p).sum(2)[:, None], q, p.transpose(1, 2), alpha=-2)
        return d.add_((q * q).sum(2, keepdim=True)).clamp_min_(0).add_(0.0)  # + 0 turns -0 into 0
