"""Perspective projection of point clouds: sums over pixels without atomics, in the order of the
points.

A first kernel computes which pixels each point falls on. In a second one every such entry looks at
all entries of its image for those on the same pixel, adds them up in their order and writes the
pixel, as do the others there, with equal values. That is quadratic in the entries, but short for
clouds of a few thousand points, and gives the same bits as the CPU, in every run.
"""

import functools

import torch
import triton
import triton.language as tl
from torch import Tensor

from pcdet_kd.ops.gpu.common import OPTIONS, on_device, rows
from pcdet_kd.ops.project_points import EPS, pixel_steps, view_axes

BLOCK = 512
TINY = tl.constexpr(EPS)
NOWHERE = tl.constexpr(-1)


@triton.jit
def _place(
    points,
    axes,
    signs,
    steps,
    depth,
    weight,
    place,
    num_points,
    num_views,
    size,
    half,
    distance,
    tiles,
    SIDE: tl.constexpr,
    POINTS: tl.constexpr,
):
    image = (tl.program_id(0) // tiles).to(tl.int64)
    cloud, view = image // num_views, image % num_views
    n = tl.program_id(0) % tiles * POINTS + tl.arange(0, POINTS)
    exists = n < num_points
    points += cloud * num_points * 3
    axes += view * 3
    signs += view * 3
    away = tl.load(points + n * 3 + tl.load(axes + 2), exists, 0.0) * tl.load(signs + 2) + distance
    behind = away + TINY
    down = tl.load(points + n * 3 + tl.load(axes), exists, 0.0) * tl.load(signs)
    across = tl.load(points + n * 3 + tl.load(axes + 1), exists, 0.0) * tl.load(signs + 1)
    row = (tl.div_rn(down, behind) + 1.0) * half
    column = (tl.div_rn(across, behind) + 1.0) * half
    heavy = tl.div_rn(tl.full((POINTS,), 1.0, tl.float32), behind)
    seen = exists & (away >= 0) & (heavy > 0)
    tl.store(depth + image * num_points + n, away, exists)
    tl.store(weight + image * num_points + n, heavy, exists)
    for a in range(SIDE):
        r = tl.ceil(row + tl.load(steps + a))
        for b in range(SIDE):
            c = tl.ceil(column + tl.load(steps + b))
            inside = seen & (r >= 0) & (r < size) & (c >= 0) & (c < size)
            at = tl.where(inside, r, 0.0).to(tl.int32) * size + tl.where(inside, c, 0.0).to(
                tl.int32
            )
            entry = (image * num_points + n) * SIDE * SIDE + a * SIDE + b
            tl.store(place + entry, tl.where(inside, at, NOWHERE), exists)


@triton.jit
def _blend(
    rgb,
    depth,
    weight,
    place,
    images,
    num_points,
    num_views,
    num_pixels,
    tiles,
    NEAREST: tl.constexpr,
    EACH: tl.constexpr,
    ENTRIES: tl.constexpr,
):
    # EACH: entries per point
    image = (tl.program_id(0) // tiles).to(tl.int64)
    entry = tl.program_id(0) % tiles * ENTRIES + tl.arange(0, ENTRIES)
    num_entries = num_points * EACH
    depth += image * num_points
    weight += image * num_points
    place += image * num_entries
    mine = tl.load(place + entry, entry < num_entries, NOWHERE)
    write = mine != NOWHERE
    if rgb is not None:
        rgb += image // num_views * num_points * 3
        images += image * num_pixels * 4
    else:
        images += image * num_pixels
    zero = tl.zeros((ENTRIES,), tl.float32)
    total, away, red, green, blue = zero, zero, zero, zero, zero
    nearest = zero + float('inf')
    if tl.max(write.to(tl.int32), 0) > 0:
        for e in range(num_entries):
            here = tl.load(place + e) == mine
            n = e // EACH
            z = tl.load(depth + n)
            if NEAREST:
                take = here & (z < nearest)  # what is seen is not infinitely far
                nearest = tl.where(take, z, nearest)
                total = tl.where(take, 1.0, total)
                away = nearest
                if rgb is not None:
                    red = tl.where(take, tl.load(rgb + n * 3), red)
                    green = tl.where(take, tl.load(rgb + n * 3 + 1), green)
                    blue = tl.where(take, tl.load(rgb + n * 3 + 2), blue)
            else:
                w = tl.load(weight + n)
                total = tl.where(here, total + w, total)
                away = tl.where(here, away + w * z, away)
                if rgb is not None:
                    red = tl.where(here, red + w * tl.load(rgb + n * 3), red)
                    green = tl.where(here, green + w * tl.load(rgb + n * 3 + 1), green)
                    blue = tl.where(here, blue + w * tl.load(rgb + n * 3 + 2), blue)
    total = tl.where(write, total, 1.0)
    if rgb is not None:
        tl.store(images + mine, tl.div_rn(red, total), write)
        tl.store(images + num_pixels + mine, tl.div_rn(green, total), write)
        tl.store(images + 2 * num_pixels + mine, tl.div_rn(blue, total), write)
        tl.store(images + 3 * num_pixels + mine, tl.div_rn(away, total), write)
    else:
        tl.store(images + mine, tl.div_rn(away, total), write)


@functools.cache
def _tables(
    num_views: int, up_axis: str, footprint: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    axes, signs = view_axes(num_views, up_axis)
    return (
        torch.tensor(axes, dtype=torch.int32, device=device),
        torch.tensor(signs, dtype=torch.float32, device=device),
        torch.tensor(pixel_steps(footprint), dtype=torch.float32, device=device),
    )


def project_points(
    points: Tensor,
    rgb: Tensor | None,
    num_views: int,
    image_size: int,
    distance: float,
    footprint: int,
    up_axis: str,
    nearest: bool,
) -> Tensor:
    """See :func:`pcdet_kd.ops.project_points.project_points_torch`; float32, no gradient."""
    points, rgb = rows(points), None if rgb is None else rows(rgb)
    batch, num_points, _ = points.shape
    axes, signs, steps = _tables(num_views, up_axis, footprint, points.device)
    depth = torch.empty(batch, num_views, num_points, device=points.device)
    weight, side = torch.empty_like(depth), len(steps)
    place = torch.empty(
        batch, num_views, num_points, side * side, dtype=torch.int32, device=points.device
    )
    images = points.new_zeros(batch, num_views, 1 if rgb is None else 4, image_size, image_size)
    if not depth.numel():
        return images
    with on_device(points):
        tiles = triton.cdiv(num_points, BLOCK)
        _place[(batch * num_views * tiles,)](
            points,
            axes,
            signs,
            steps,
            depth,
            weight,
            place,
            num_points,
            num_views,
            image_size,
            image_size / 2,
            distance,
            tiles,
            SIDE=side,
            POINTS=BLOCK,
            num_warps=4,
            **OPTIONS,
        )
        tiles = triton.cdiv(num_points * side * side, BLOCK)
        _blend[(batch * num_views * tiles,)](
            rgb,
            depth,
            weight,
            place,
            images,
            num_points,
            num_views,
            image_size * image_size,
            tiles,
            NEAREST=nearest,
            EACH=side * side,
            ENTRIES=BLOCK,
            num_warps=4,
            **OPTIONS,
        )
    return images
