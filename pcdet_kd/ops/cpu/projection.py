"""Perspective projection of point clouds to depth and colour images."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, to_numpy
from pcdet_kd.ops.project_points import pixel_steps, view_axes

EPS = np.float32(1e-12)
ZERO, ONE = np.float32(0), np.float32(1)


@njit(**OPTIONS)
def depths(away, sign, distance, depth, weight):
    """Write depths and weights of points, given their coordinates along the axis of a view."""
    for i in range(depth.size):
        z = sign * away[i] + distance
        depth[i] = z
        weight[i] = ONE / (max(z, ZERO) + EPS)


@njit(**OPTIONS)
def coordinates(across, sign, depth, half, pixel):
    """Write pixel rows (or columns) of points, given their coordinates down (or across) the
    image.
    """
    for i in range(depth.size):
        pixel[i] = (sign * across[i] / (depth[i] + EPS) + ONE) * half


@njit(**OPTIONS)
def places(row, column, depth, weight, row_step, column_step, size, place):
    """Write the number of the pixel that each point takes with these steps; ``size`` squared where
    it takes none.
    """
    limit = np.float32(size)
    for i in range(place.size):
        r, c = np.ceil(row[i] + row_step), np.ceil(column[i] + column_step)
        inside = (
            (r >= ZERO)
            & (r < limit)
            & (c >= ZERO)
            & (c < limit)
            & (depth[i] >= ZERO)
            & (weight[i] > ZERO)
        )
        place[i] = np.int32(r if inside else limit) * np.int32(size) + np.int32(
            c if inside else ZERO
        )


@njit(**OPTIONS)
def add(place, depth, weight, rgb, sums, covered):
    """Add points to ``sums`` (pixels + 1, 1 + C): weights, then weighted depths, then colours, in
    the order of the points.

    Pixels that got their first point are listed in ``covered``; returns their number. No branch
    depends on the data, for the processor could not foresee it.
    """
    count = 0
    for i in range(depth.size):
        w = weight[i]
        for s in range(place.shape[0]):
            p = place[s, i]
            covered[count] = p
            count += sums[p, 0] == ZERO
            sums[p, 0] += w
            sums[p, 1] += w * depth[i]
            for k in range(2, sums.shape[1]):
                sums[p, k] += w * rgb[i, k - 2]
    return count


@njit(**OPTIONS)
def keep_nearest(place, depth, rgb, sums, covered):
    """Like :func:`add`, but the nearest point takes the pixel, with weight 1."""
    count = 0
    for i in range(depth.size):
        for s in range(place.shape[0]):
            p = place[s, i]
            first = sums[p, 0] == ZERO
            if first or depth[i] < sums[p, 1]:
                covered[count] = p
                count += first
                sums[p, 0] = ONE
                sums[p, 1] = depth[i]
                for k in range(2, sums.shape[1]):
                    sums[p, k] = rgb[i, k - 2]
    return count


@njit(**OPTIONS)
def project(points, rgb, order, signs, distance, steps, nearest, images):
    """Fill ``images`` (V, C, R, R), zero before, from ``points`` (N, 3) and, with C = 4, ``rgb``
    (N, 3), all float32.

    ``order`` and ``signs`` (V, 3) are as :func:`~pcdet_kd.ops.project_points.view_axes` gives them;
    ``steps`` (s,) float32 is what is added to coordinates before they are rounded up.
    """
    n, channels, size = points.shape[0], images.shape[1], images.shape[2]
    flat = images.reshape(images.shape[0], channels, size * size)
    axes = np.empty((3, n), np.float32)
    for i in range(n):
        axes[0, i], axes[1, i], axes[2, i] = points[i, 0], points[i, 1], points[i, 2]
    row, column = np.empty(n, np.float32), np.empty(n, np.float32)
    depth, weight = np.empty(n, np.float32), np.empty(n, np.float32)
    place = np.empty((steps.size * steps.size, n), np.int32)
    covered = np.empty(min(size * size, place.size) + 1, np.int32)
    sums = np.zeros((size * size + 1, 1 + channels), np.float32)
    half = np.float32(size) / np.float32(2)
    sums[size * size] = ONE  # takes what falls outside, and is never new
    for v in range(images.shape[0]):
        depths(axes[order[v, 2]], signs[v, 2], distance, depth, weight)
        coordinates(axes[order[v, 0]], signs[v, 0], depth, half, row)
        coordinates(axes[order[v, 1]], signs[v, 1], depth, half, column)
        for a in range(steps.size):
            for b in range(steps.size):
                places(
                    row, column, depth, weight, steps[a], steps[b], size, place[a * steps.size + b]
                )
        if nearest:
            count = keep_nearest(place, depth, rgb, sums, covered)
        else:
            count = add(place, depth, weight, rgb, sums, covered)
        for j in range(count):
            p = covered[j]
            for k in range(channels):
                flat[v, k, p] = (
                    sums[p, 1 + (k + 1) % channels] / sums[p, 0]
                )  # the depth is the last channel
            sums[p] = ZERO


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
    array = to_numpy(points)
    colors = array if rgb is None else to_numpy(rgb)
    order, signs = view_axes(num_views, up_axis)
    order, signs, steps = (
        np.array(order),
        np.array(signs, np.float32),
        np.array(pixel_steps(footprint), np.float32),
    )
    images = torch.zeros(len(array), num_views, 1 if rgb is None else 4, image_size, image_size)
    out, away = images.numpy(), np.float32(distance)
    for_each_cloud(
        lambda b: project(array[b], colors[b], order, signs, away, steps, nearest, out[b]),
        len(array),
    )
    return images.to(points.device)
