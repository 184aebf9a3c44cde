"""Farthest point sampling: all points at every step, or only the blocks of points that the new one
can change.
"""

import functools

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import FAST, INFINITY, LEAST, MOST, OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, to_numpy

BLOCKS_FROM = 3072  # points; smaller clouds are faster without blocks
BLOCK = 64  # points
BITS = 4  # of the grid along which blocks are cut: 2^4 cells along each axis
# In place of a distance, for what is never chosen. Absent comes last, and bits of negative floats
# order the other way round.
ABSENT, SKIPPED = np.float32(-1), np.float32(-2)


@njit(fastmath=FAST, **OPTIONS)
def lower_to(x, y, z, cx, cy, cz, nearest):
    """Lower ``nearest`` to the squared distances to (cx, cy, cz) where these are less; return its
    greatest bits.
    """
    most = LEAST
    for i in range(x.size):
        dx = x[i] - cx
        dy = y[i] - cy
        dz = z[i] - cz
        d = np.float32(min(nearest[i], dx * dx + dy * dy + dz * dz))
        nearest[i] = d
        most = max(most, d.view(np.int32))
    return most


@njit(**OPTIONS)
def first_with(bits, value):
    """Return the first index whose bits are ``value``."""
    first = MOST
    for i in range(bits.size):
        first = min(first, np.int32(i) if bits[i] == value else MOST)
    return first


@njit(**OPTIONS)
def sample_all(points, start, near_origin, chosen):
    """Fill ``chosen`` (M,) int64 with farthest points of ``points`` (N, 3) float32, beginning at
    ``start``.

    Points with a squared norm of at most ``near_origin`` are passed over (a negative value: none
    is).
    """
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    nearest = np.empty(x.size, np.float32)
    for i in range(x.size):
        norm = x[i] * x[i] + y[i] * y[i] + z[i] * z[i]
        nearest[i] = SKIPPED if norm <= near_origin else INFINITY
    bits = nearest.view(np.int32)
    current = start
    for s in range(chosen.size):
        chosen[s] = current
        most = lower_to(x, y, z, x[current], y[current], z[current], nearest)
        current = min(
            np.int64(first_with(bits, most)), x.size - 1
        )  # at most, also with NaNs that nobody looked for


@functools.cache
def curve() -> np.ndarray:
    """Return the place of each cell (x, y, z) of the grid along Hilbert's curve (Skilling's
    algorithm, 2004), int32.
    """
    axes = np.stack(np.meshgrid(*[np.arange(1 << BITS)] * 3, indexing='ij')).reshape(3, -1)
    for bit in reversed(range(1, BITS)):
        low = (1 << bit) - 1
        for i in range(3):
            inverted = axes[i] >> bit & 1 == 1
            swapped = np.where(inverted, 0, (axes[0] ^ axes[i]) & low)
            axes[0] = np.where(inverted, axes[0] ^ low, axes[0] ^ swapped)
            axes[i] ^= swapped
    for i in range(1, 3):
        axes[i] ^= axes[i - 1]
    flips = np.zeros_like(axes[0])
    for bit in range(1, BITS):
        flips ^= np.where(axes[2] >> bit & 1, (1 << bit) - 1, 0)
    axes ^= flips
    place = np.zeros_like(axes[0])
    for bit in reversed(range(BITS)):
        for axis in axes:
            place = place << 1 | axis >> bit & 1
    return place.astype(np.int32)


@njit(**OPTIONS)
def cut_blocks(points, places, order, coords, boxes):
    """Sort points along the curve and cut them into blocks.

    Args:
        points: (N, 3) float32.
        places: As of :func:`curve`.
        order: Receives (K, BLOCK) int32, the index of each point; MOST where the last block has
            none.
        coords: Receives (3, K, BLOCK) float32.
        boxes: Receives (6, K) float32: least and greatest x, y and z of each block.
    """
    n = points.shape[0]
    low, high = points[0].copy(), points[0].copy()
    for i in range(n):
        for a in range(3):
            low[a] = min(low[a], points[i, a])
            high[a] = max(high[a], points[i, a])
    side = max(max(high[0] - low[0], high[1] - low[1]), high[2] - low[2])
    cells = np.float32(1 << BITS) / side if side > 0 else np.float32(0)
    last = np.int64((1 << BITS) - 1)
    place = np.empty(n, np.int32)
    for i in range(n):
        cell = np.int64(0)
        for a in range(3):
            cell = cell << BITS | min(
                max(np.int64((points[i, a] - low[a]) * cells), np.int64(0)), last
            )
        place[i] = places[cell]
    starts = np.zeros(places.size + 1, np.int32)
    for i in range(n):
        starts[place[i] + 1] += 1
    for j in range(places.size):
        starts[j + 1] += starts[j]
    flat, flat_coords = order.reshape(-1), coords.reshape(3, -1)
    flat[n:] = MOST
    flat_coords[:, n:] = INFINITY
    for i in range(n):
        to = starts[place[i]]
        starts[place[i]] += 1
        flat[to] = i
        for a in range(3):
            flat_coords[a, to] = points[i, a]
    for k in range(order.shape[0]):
        for a in range(3):
            row = coords[a, k, : min(BLOCK, n - k * BLOCK)]
            boxes[2 * a, k] = row.min()
            boxes[2 * a + 1, k] = row.max()


@njit(fastmath=FAST, **OPTIONS)
def blocks_to_lower(boxes, cx, cy, cz, most, bounds, blocks):
    """List the blocks that may hold a point with a distance to (cx, cy, cz) below the block's
    greatest; return how many.

    The bounds are rounded step by step as the distances are, so that none is above a distance in
    its block.
    """
    zero = np.float32(0)
    for k in range(most.size):
        dx = max(max(boxes[0, k] - cx, cx - boxes[1, k]), zero)
        dy = max(max(boxes[2, k] - cy, cy - boxes[3, k]), zero)
        dz = max(max(boxes[4, k] - cz, cz - boxes[5, k]), zero)
        bounds[k] = np.float32(dx * dx + dy * dy + dz * dz).view(np.int32)
    count = np.uint64(0)
    for k in range(most.size):
        blocks[count] = k
        count += np.uint64(bounds[k] < most[k])
    return count


@njit(fastmath=FAST, **OPTIONS)
def lower_block(coords, k, cx, cy, cz, nearest):
    """Do :func:`lower_to` to block k."""
    most = LEAST
    for i in range(BLOCK):
        dx = coords[0, k, i] - cx
        dy = coords[1, k, i] - cy
        dz = coords[2, k, i] - cz
        d = np.float32(min(nearest[k, i], dx * dx + dy * dy + dz * dz))
        nearest[k, i] = d
        most = max(most, d.view(np.int32))
    return most


@njit(**OPTIONS)
def lowest_farthest(most, bits, order):
    """Return the lowest original index among the points whose bits are greatest; ``most`` holds
    each block's greatest.
    """
    best = LEAST
    for k in range(most.size):
        best = max(best, most[k])
    first, last = MOST, np.int32(-1)
    for k in range(most.size):
        first = min(first, np.int32(k) if most[k] == best else MOST)
        last = max(last, np.int32(k) if most[k] == best else np.int32(-1))
    lowest = MOST
    for k in range(first, last + 1):
        if most[k] == best:
            for i in range(BLOCK):
                lowest = min(lowest, order[k, i] if bits[k, i] == best else MOST)
    return np.int64(lowest)


@njit(**OPTIONS)
def sample_blocks(points, start, near_origin, order, coords, boxes, chosen):
    """Do what :func:`sample_all` does, looking only at blocks in which something can change."""
    nearest = np.empty(order.shape, np.float32)
    bits = nearest.view(np.int32)
    most = np.empty(order.shape[0], np.int32)
    for k in range(order.shape[0]):
        most[k] = LEAST
        for i in range(BLOCK):
            x, y, z = coords[0, k, i], coords[1, k, i], coords[2, k, i]
            value = SKIPPED if x * x + y * y + z * z <= near_origin else INFINITY
            nearest[k, i] = ABSENT if order[k, i] == MOST else value
            most[k] = max(most[k], bits[k, i])
    bounds, blocks = np.empty(most.size, np.int32), np.empty(most.size + 1, np.int32)
    current = start
    for s in range(chosen.size):
        chosen[s] = current
        cx, cy, cz = points[current, 0], points[current, 1], points[current, 2]
        count = blocks_to_lower(boxes, cx, cy, cz, most, bounds, blocks)
        for j in range(count):
            k = blocks[j]
            most[k] = lower_block(coords, k, cx, cy, cz, nearest)
        current = min(lowest_farthest(most, bits, order), points.shape[0] - 1)


def farthest_point_sample(
    points: Tensor, first: Tensor, num_samples: int, near_origin: float
) -> Tensor:
    """See :func:`pcdet_kd.ops.farthest_point_sample.farthest_point_sample_torch`."""
    array, starts = to_numpy(points), first.tolist()
    chosen = torch.empty(len(array), num_samples, dtype=torch.int64)
    out, hole = chosen.numpy(), np.float32(near_origin)

    def sample(b: int) -> None:
        cloud = array[b]
        if len(cloud) < BLOCKS_FROM:
            sample_all(cloud, starts[b], hole, out[b])
            return
        size = -(-len(cloud) // BLOCK)
        order, coords = np.empty((size, BLOCK), np.int32), np.empty((3, size, BLOCK), np.float32)
        boxes = np.empty((6, size), np.float32)
        cut_blocks(cloud, curve(), order, coords, boxes)
        sample_blocks(cloud, starts[b], hole, order, coords, boxes, out[b])

    for_each_cloud(sample, len(array))
    return chosen.to(points.device)
