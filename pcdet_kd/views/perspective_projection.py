"""Depth and colour images of a point cloud by perspective projection (SimpleView, Goyal et al., ICML 2021)."""

import torch
from torch import Tensor, nn

from pcdet_kd.registry import MODELS

AXES = ('x', 'y', 'z')
MODES = ('depth', 'color')
EPS = 1e-12
# Per view: which coordinate, with which sign, runs along the rows (downwards), along the columns, and away from the camera,
# for clouds with y up. Views 1 to 4 look from -z, -x, +z and +x with y up in the image, 5 from above, 6 from below.
_VIEWS = (('-y', '+x', '+z'), ('-y', '-z', '+x'), ('-y', '-x', '-z'), ('-y', '+z', '-x'), ('-z', '+x', '-y'),
          ('+z', '+x', '+y'))


def project_points(points: Tensor, rgb: Tensor | None = None, num_views: int = 6, image_size: int = 128,
                   distance: float = 1.4, footprint: int = 1, up_axis: str = 'y', lengths: Tensor | None = None) -> Tensor:
    """Project clouds to depth images, and to colour images where ``rgb`` is given.

    The camera of each view stands on an axis at ``distance`` from the origin and looks at it with a field of view of 90
    degrees. A point at depth z falls on the pixel nearest to its projection (halves round down) with weight 1/z; a pixel is
    the weighted mean of what falls on it. For depths that is their harmonic mean: near points count more, but nothing is
    hidden. Pixels without a point are exactly 0. Points outside the image or behind the camera do not count. Depths keep the
    cloud's unit: a unit sphere gives [distance - 1, distance + 1].

    Images are differentiable in the depths and colours, not in the places of the pixels.

    Args:
        points: (B, N, 3), roughly in a unit sphere.
        rgb: (B, N, 3), or None.
        num_views: The first n of the six views: four from the sides, then from above and from below.
        image_size: Height and width R in pixels.
        distance: Of the cameras from the origin.
        footprint: Width in pixels of the square that a point covers: 1, or an even number.
        up_axis: Which axis is up in the images from the sides; the others follow cyclically.
        lengths: (B,) number of points of each cloud that count (the rest is padding), or None for all.

    Returns:
        (B, V, 1, R, R), or with ``rgb`` (B, V, 4, R, R): red, green, blue, depth. float64 for float64 points, else float32.

    Raises:
        ValueError: A shape or setting is not one of those above.
    """
    _check_settings(num_views, image_size, distance, footprint, up_axis)
    if points.ndim != 3 or points.shape[2] != 3:
        raise ValueError(f'points has shape {tuple(points.shape)}, must be (B, N, 3)')
    if rgb is not None and rgb.shape != points.shape:
        raise ValueError(f'rgb has shape {tuple(rgb.shape)}, must be that of points, {tuple(points.shape)}')
    batch, size = len(points), image_size
    points = points if points.dtype == torch.float64 else points.float()
    turned = points.roll(AXES.index('y') - AXES.index(up_axis), dims=2)
    order, signs = _axes(num_views, points)
    # Not a matrix product: under autocast, or with TF32, that would round the coordinates to pixels and more.
    seen = turned[:, :, order].transpose(1, 2) * signs[:, None]  # (B, V, N, 3): row, column, depth
    depth = seen[..., 2] + distance
    with torch.no_grad():
        pixel = (seen[..., :2] / (depth[..., None] + EPS) + 1) * (size / 2)
        step = torch.tensor([-0.5]) if footprint == 1 else torch.arange(-footprint // 2, footprint // 2)
        row, column = (torch.ceil(pixel[..., i, None] + step.to(pixel)) for i in (0, 1))  # (B, V, N, s)
        row, column = torch.broadcast_tensors(row[..., :, None], column[..., None, :])  # (B, V, N, s, s)
        inside = (row >= 0) & (row < size) & (column >= 0) & (column < size) & (depth >= 0)[..., None, None]
        if lengths is not None:
            real = torch.arange(points.shape[1], device=points.device) < lengths.to(points.device)[:, None]
            inside = inside & real[:, None, :, None, None]
        image = torch.arange(batch * num_views, device=points.device).view(batch, num_views, 1, 1, 1)
        place = torch.where(inside, (image * size + row.nan_to_num().clamp(0, size - 1).long()) * size
                            + column.nan_to_num().clamp(0, size - 1).long(), 0)
    weight = 1 / (depth.clamp(min=0) + EPS)
    values = torch.stack([weight, weight * depth], dim=-1)
    if rgb is not None:
        values = torch.cat([values, weight[..., None] * rgb.to(points)[:, None]], dim=-1)
    values = torch.where(inside[..., None], values[..., None, None, :], 0)  # (B, V, N, s, s, 2 or 5)
    total = values.new_zeros(batch * num_views * size * size, values.shape[-1])
    total = total.index_add(0, place.flatten(), values.flatten(0, -2)).view(batch, num_views, size, size, -1)
    covered = total[..., :1] > 0
    mean = torch.where(covered, total[..., 1:] / torch.where(covered, total[..., :1], 1), 0)
    return mean.roll(-1, dims=-1).permute(0, 1, 4, 2, 3).contiguous()  # depth last


def _axes(num_views: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return (V, 3) int64 and (V, 3): which coordinate is each view's row, column and depth, and with which sign."""
    views = _VIEWS[:num_views]
    order = torch.tensor([[AXES.index(name[1]) for name in names] for names in views], device=like.device)
    signs = torch.tensor([[1 if name[0] == '+' else -1 for name in names] for names in views], device=like.device)
    return order, signs.to(like.dtype)


def _check_settings(num_views: int, image_size: int, distance: float, footprint: int, up_axis: str) -> None:
    if not 1 <= num_views <= len(_VIEWS):
        raise ValueError(f'num_views is {num_views}, must be 1 to {len(_VIEWS)}')
    if image_size < 1 or distance <= 0:
        raise ValueError(f'image_size is {image_size} and distance is {distance}, must be positive')
    if footprint != 1 and (footprint < 1 or footprint % 2):
        raise ValueError(f'footprint is {footprint}, must be 1 or even')
    if up_axis not in AXES:
        raise ValueError(f"up_axis is '{up_axis}', must be one of {', '.join(AXES)}")


@MODELS.register_module()
class PerspectiveProjection(nn.Module):
    """:func:`project_points` as a module without parameters.

    Args:
        num_views, image_size, distance, footprint, up_axis: See :func:`project_points`.
        mode: ``'depth'``, or ``'color'`` for the weighted mean colour.
        channels: Channels C of an image. Depth: 1, or 3 (the depth three times, for networks that expect colours). Colour:
            3, or 4 with the depth as the last.
    """

    def __init__(self, num_views: int = 6, image_size: int = 128, distance: float = 1.4, footprint: int = 1,
                 mode: str = 'depth', channels: int = 3, up_axis: str = 'y') -> None:
        super().__init__()
        _check_settings(num_views, image_size, distance, footprint, up_axis)
        if mode not in MODES:
            raise ValueError(f"mode is '{mode}', must be one of {', '.join(MODES)}")
        allowed = (1, 3) if mode == 'depth' else (3, 4)
        if channels not in allowed:
            raise ValueError(f"channels is {channels}, must be {allowed[0]} or {allowed[1]} in mode '{mode}'")
        self.settings = dict(num_views=num_views, image_size=image_size, distance=distance, footprint=footprint,
                             up_axis=up_axis)
        self.mode = mode
        self.channels = channels

    def forward(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Project.

        Args:
            points: (B, N, C): xyz first; in mode ``'color'`` rgb is next (C >= 6).
            lengths: (B,) number of points that count, or None.

        Returns:
            Images (B, V, channels, R, R).

        Raises:
            ValueError: Too few columns.
        """
        if self.mode == 'depth':
            images = project_points(points[..., :3], lengths=lengths, **self.settings)
            return images.expand(-1, -1, self.channels, -1, -1).contiguous()
        if points.shape[-1] < 6:
            raise ValueError(f"mode 'color' needs points (B, N, 6 or more): xyz and rgb; got {tuple(points.shape)}")
        return project_points(points[..., :3], points[..., 3:6], lengths=lengths, **self.settings)[:, :, :self.channels]

    def extra_repr(self) -> str:
        return ', '.join(f'{k}={v!r}' for k, v in {**self.settings, 'mode': self.mode, 'channels': self.channels}.items())
