"""Depth and colour images of point clouds by perspective projection (SimpleView, Goyal et al., ICML
2021).
"""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.utils.arguments import check_choice

AXES = ('x', 'y', 'z')
OVERLAPS = ('mean', 'nearest')
EPS = 1e-12
# Per view: which coordinate, with which sign, runs along the rows (downwards), along the columns,
# and away from the camera, for clouds with y up. Views 1 to 4 look from -z, -x, +z and +x with y up
# in the image, 5 from above, 6 from below.
VIEWS = (
    ('-y', '+x', '+z'),
    ('-y', '-z', '+x'),
    ('-y', '-x', '-z'),
    ('-y', '+z', '-x'),
    ('-z', '+x', '-y'),
    ('+z', '+x', '+y'),
)


def project_points(
    points: Tensor,
    rgb: Tensor | None = None,
    num_views: int = 6,
    image_size: int = 128,
    distance: float = 1.4,
    footprint: int = 1,
    up_axis: str = 'y',
    overlap: str = 'mean',
) -> Tensor:
    """Project clouds to depth images, and to colour images where ``rgb`` is given.

    The camera of each view stands on an axis at ``distance`` from the origin and looks at it with a
    field of view of 90 degrees. A point at depth z falls on the pixel nearest to its projection
    (halves round down) with weight 1/z; a pixel is the weighted mean of what falls on it. For
    depths that is their harmonic mean: near points count more, but nothing is hidden. Pixels
    without a point are exactly 0. Points outside the image or behind the camera do not count, nor
    do points that are not finite. Depths keep the cloud's unit: a unit sphere gives [distance - 1,
    distance + 1].

    Images are differentiable in the depths and colours, not in the places of the pixels. Where a
    gradient is needed, and for float64, the plain-torch form runs whatever back end was chosen.

    Args:
        points: (B, N, 3), roughly in a unit sphere.
        rgb: (B, N, 3), or None.
        num_views: The first n of the six views: four from the sides, then from above and from
            below.
        image_size: Height and width R in pixels.
        distance: Of the cameras from the origin.
        footprint: Width in pixels of the square that a point covers: 1, or an even number.
        up_axis: Which axis is up in the images from the sides; the others follow cyclically.
        overlap: What a pixel shows where several points fall on it: their weighted ``'mean'``, as
            SimpleView does, or the ``'nearest'`` alone, as a z-buffer does (the lowest index of
            equally near ones).

    Returns:
        (B, V, 1, R, R), or with ``rgb`` (B, V, 4, R, R): red, green, blue, depth. float64 for
        float64 points, else float32.

    Raises:
        ValueError: A shape or setting is not one of those above.
    """
    check_settings(num_views, image_size, distance, footprint, up_axis, overlap)
    if points.ndim != 3 or points.shape[2] != 3:
        raise ValueError(f'points has shape {tuple(points.shape)}, must be (B, N, 3)')
    if rgb is not None and rgb.shape != points.shape:
        raise ValueError(
            f'rgb has shape {tuple(rgb.shape)}, must be that of points, {tuple(points.shape)}'
        )
    points = points if points.dtype == torch.float64 else points.float()
    rgb = None if rgb is None else rgb.to(points)
    differentiable = torch.is_grad_enabled() and (
        points.requires_grad or (rgb is not None and rgb.requires_grad)
    )
    project = (
        project_points_torch if differentiable or points.dtype == torch.float64 else _project_points
    )
    return project(
        points,
        rgb,
        num_views,
        image_size,
        distance,
        footprint,
        up_axis,
        overlap == 'nearest',
    )


def check_settings(
    num_views: int, image_size: int, distance: float, footprint: int, up_axis: str, overlap: str
) -> None:
    """Raise ``ValueError`` unless these are settings of :func:`project_points`."""
    if not 1 <= num_views <= len(VIEWS):
        raise ValueError(f'num_views is {num_views}, must be 1 to {len(VIEWS)}')
    if image_size < 1 or not 0 < distance < float('inf'):
        raise ValueError(
            f'image_size is {image_size} and distance is {distance}, must be positive and finite'
        )
    if footprint != 1 and (footprint < 1 or footprint % 2):
        raise ValueError(f'footprint is {footprint}, must be 1 or even')
    check_choice('up_axis', up_axis, AXES)
    check_choice('overlap', overlap, OVERLAPS)


def view_axes(num_views: int, up_axis: str) -> tuple[list[list[int]], list[list[int]]]:
    """Return, of each view, which coordinate is its row, its column and its depth, and with which
    sign (1 or -1).
    """
    turn = AXES.index(up_axis) - AXES.index('y')
    order = [[(AXES.index(name[1]) + turn) % 3 for name in names] for names in VIEWS[:num_views]]
    return order, [[1 if name[0] == '+' else -1 for name in names] for names in VIEWS[:num_views]]


def pixel_steps(footprint: int) -> list[float]:
    """Return what is added to a pixel coordinate before it is rounded up, for each row (or column)
    of the footprint.
    """
    return (
        [-0.5]
        if footprint == 1
        else [float(step) for step in range(-footprint // 2, footprint // 2)]
    )


def project_points_torch(
    points: Tensor,
    rgb: Tensor | None,
    num_views: int,
    image_size: int,
    distance: float,
    footprint: int,
    up_axis: str,
    nearest: bool,
) -> Tensor:
    """The same in plain torch, on any device, with gradients.

    Kernels must give the same pixels, so they compute in this order, in float32, with true
    divisions and without fused multiply-adds: ``depth = sign * p + distance``, ``pixel = (sign * p
    / (depth + EPS) + 1) * (R / 2)``, ``ceil(pixel + step)``, ``weight = 1 / (depth + EPS)``,
    ``value = sum(weight * depth) / sum(weight)``.

    Args:
        points: (B, N, 3) float32 or float64.
        rgb: (B, N, 3) of the same type, or None.
        num_views: V.
        image_size: R.
        distance: Of the cameras from the origin.
        footprint: 1 or even.
        up_axis: One of :data:`AXES`.
        nearest: Whether the nearest point takes a pixel, instead of the mean.

    Returns:
        (B, V, 1 or 4, R, R), depth last.
    """
    batch, size = points.shape[0], image_size
    # Not a matrix product: under autocast, or with TF32, that would round the coordinates to pixels
    # and more.
    seen = torch.stack(
        [
            torch.stack([points[..., axis] * sign for axis, sign in zip(*view)], dim=-1)
            for view in zip(*view_axes(num_views, up_axis))
        ],
        dim=1,
    )  # (B, V, N, 3): row, column, depth
    depth = seen[..., 2] + distance
    weight = 1 / (depth.clamp(min=0) + EPS)
    with torch.no_grad():
        pixel = (seen[..., :2] / (depth[..., None] + EPS) + 1) * (size / 2)
        # (B, V, N, s)
        row, column = (
            torch.stack([torch.ceil(pixel[..., i] + step) for step in pixel_steps(footprint)], -1)
            for i in (0, 1)
        )
        row, column = torch.broadcast_tensors(
            row[..., :, None], column[..., None, :]
        )  # (B, V, N, s, s)
        inside = (row >= 0) & (row < size) & (column >= 0) & (column < size)
        inside = inside & ((depth >= 0) & (weight > 0))[..., None, None]
        image = torch.arange(batch * num_views, device=points.device).view(
            batch, num_views, 1, 1, 1
        )
        place = torch.where(
            inside,
            (image * size + row.nan_to_num().clamp(0, size - 1).long()) * size
            + column.nan_to_num().clamp(0, size - 1).long(),
            0,
        )
    values = (
        depth[..., None]
        if rgb is None
        else torch.cat([rgb[:, None].expand(-1, num_views, -1, -1), depth[..., None]], dim=-1)
    )  # (B, V, N, 1 or 4)
    blend = _nearest if nearest else _mean
    images = blend(values, depth, weight, inside, place, batch * num_views * size * size)
    return images.view(batch, num_views, size, size, -1).permute(0, 1, 4, 2, 3).contiguous()


def _mean(
    values: Tensor, depth: Tensor, weight: Tensor, inside: Tensor, place: Tensor, num_pixels: int
) -> Tensor:
    weighted = torch.cat([weight[..., None], weight[..., None] * values], dim=-1)
    weighted = torch.where(
        inside[..., None], weighted[..., None, None, :], 0
    )  # (B, V, N, s, s, 2 or 5)
    total = values.new_zeros(num_pixels, weighted.shape[-1])
    total = total.index_add(0, place.flatten(), weighted.flatten(0, -2))
    covered = total[:, :1] > 0
    return torch.where(covered, total[:, 1:] / torch.where(covered, total[:, :1], 1), 0)


def _nearest(
    values: Tensor, depth: Tensor, weight: Tensor, inside: Tensor, place: Tensor, num_pixels: int
) -> Tensor:
    count = depth.numel()
    with torch.no_grad():
        place, near = (
            place.flatten(),
            torch.where(inside, depth[..., None, None], torch.inf).flatten(),
        )
        least = near.new_full((num_pixels,), torch.inf).scatter_reduce(0, place, near, 'amin')
        point = (
            torch.arange(count, device=depth.device)
            .view(*depth.shape, 1, 1)
            .expand_as(inside)
            .flatten()
        )
        point = torch.where(inside.flatten() & (near == least[place]), point, count)
        first = torch.full_like(least, count, dtype=torch.int64).scatter_reduce(
            0, place, point, 'amin'
        )
        covered = first < count
    taken = values.flatten(0, -2).index_select(0, first.clamp(max=max(count - 1, 0)))
    return torch.where(covered[:, None], taken, 0)


_project_points = backend.define(
    project_points_torch,
    lambda points, rgb, num_views, image_size, *_: points.new_empty(
        points.shape[0], num_views, 1 if rgb is None else 4, image_size, image_size
    ),
)
