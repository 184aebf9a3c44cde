"""Farthest point sampling: one program per cloud."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from pcdet_kd.ops.gpu.common import OPTIONS, on_device, power_of_2, rows

IN_REGISTERS = 8192  # points of a cloud that fit in the registers of one program
CHUNK = 4096
INFINITE = tl.constexpr(0x7F800000)  # the bits of infinity; bits of distances order like integers
HOLE = tl.constexpr(-1)  # of a point that is passed over
OUTSIDE = tl.constexpr(-2)  # of a point that does not exist


@triton.jit
def _first_bits(x, y, z, inside, near_origin):
    norm = x * x + y * y + z * z
    return tl.where(inside, tl.where(norm <= near_origin, HOLE, INFINITE), OUTSIDE)


@triton.jit
def _bits(x, y, z, cx, cy, cz):
    dx, dy, dz = x - cx, y - cy, z - cz
    squared = dx * dx + dy * dy + dz * dz
    return squared.to(tl.int32, bitcast=True)


@triton.jit
def _in_registers(points, first, chosen, num_points, num_samples, near_origin, BLOCK: tl.constexpr):
    cloud = tl.program_id(0).to(tl.int64)
    points += cloud * num_points * 3
    chosen += cloud * num_samples
    n = tl.arange(0, BLOCK)
    inside = n < num_points
    x = tl.load(points + n * 3, inside, 0.0)
    y = tl.load(points + n * 3 + 1, inside, 0.0)
    z = tl.load(points + n * 3 + 2, inside, 0.0)
    nearest = _first_bits(x, y, z, inside, near_origin)
    current = tl.load(first + cloud).to(tl.int32)
    for s in range(num_samples):
        tl.store(chosen + s, current)
        cx, cy, cz = (
            tl.load(points + current * 3),
            tl.load(points + current * 3 + 1),
            tl.load(points + current * 3 + 2),
        )
        nearest = tl.minimum(nearest, _bits(x, y, z, cx, cy, cz))
        farthest = tl.max(nearest, 0)
        current = tl.min(tl.where(nearest == farthest, n, BLOCK), 0)


@triton.jit
def _in_chunks(
    points,
    first,
    chosen,
    memory,
    num_points,
    num_samples,
    near_origin,
    BLOCK: tl.constexpr,
):
    # as above, but the distances lie in ``memory``; each lane keeps the best of its column of the
    # chunks
    cloud = tl.program_id(0).to(tl.int64)
    points += cloud * num_points * 3
    memory += cloud * num_points
    chosen += cloud * num_samples
    lane = tl.arange(0, BLOCK)
    for start in range(0, num_points, BLOCK):
        n = start + lane
        inside = n < num_points
        x = tl.load(points + n * 3, inside, 0.0)
        y = tl.load(points + n * 3 + 1, inside, 0.0)
        z = tl.load(points + n * 3 + 2, inside, 0.0)
        tl.store(memory + n, _first_bits(x, y, z, inside, near_origin), inside)
    tl.debug_barrier()
    current = tl.load(first + cloud).to(tl.int32)
    for s in range(num_samples):
        tl.store(chosen + s, current)
        cx, cy, cz = (
            tl.load(points + current * 3),
            tl.load(points + current * 3 + 1),
            tl.load(points + current * 3 + 2),
        )
        best = tl.full((BLOCK,), OUTSIDE, tl.int32)
        at = lane
        for start in range(0, num_points, BLOCK):
            n = start + lane
            inside = n < num_points
            x = tl.load(points + n * 3, inside, 0.0)
            y = tl.load(points + n * 3 + 1, inside, 0.0)
            z = tl.load(points + n * 3 + 2, inside, 0.0)
            nearest = tl.minimum(tl.load(memory + n, inside, OUTSIDE), _bits(x, y, z, cx, cy, cz))
            tl.store(memory + n, nearest, inside)
            farther = nearest > best
            best = tl.where(farther, nearest, best)
            at = tl.where(farther, n, at)
        farthest = tl.max(best, 0)
        current = tl.min(tl.where(best == farthest, at, num_points), 0)
        tl.debug_barrier()


def farthest_point_sample(
    points: Tensor, first: Tensor, num_samples: int, near_origin: float
) -> Tensor:
    """See :func:`pcdet_kd.ops.farthest_point_sample.farthest_point_sample_torch`."""
    points, first = rows(points), first.contiguous()
    batch, num_points, _ = points.shape
    chosen = torch.empty(batch, num_samples, dtype=torch.int64, device=points.device)
    with on_device(points):
        if num_points <= IN_REGISTERS:
            block = power_of_2(num_points)
            _in_registers[(batch,)](
                points,
                first,
                chosen,
                num_points,
                num_samples,
                near_origin,
                BLOCK=block,
                num_warps=min(max(block // 256, 1), 32),
                **OPTIONS,
            )
        else:
            memory = torch.empty(batch, num_points, dtype=torch.int32, device=points.device)
            _in_chunks[(batch,)](
                points,
                first,
                chosen,
                memory,
                num_points,
                num_samples,
                near_origin,
                BLOCK=CHUNK,
                num_warps=16,
                **OPTIONS,
            )
    return chosen
