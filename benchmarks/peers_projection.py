"""SimpleView's projection of clouds to depth images in its plain form: ``ops.project_points`` is
compared with it.

Written from the description of the algorithm (Goyal et al., ICML 2021); it keeps the form that
determines its cost: a matrix product per view, every point repeated over its footprint, masks, and
two scatter_add over the whole image.
"""

import math

import torch
from torch import Tensor

ANGLES = [
    (0, 0),
    (math.pi / 2, 0),
    (math.pi, 0),
    (3 * math.pi / 2, 0),
    (0, -math.pi / 2),
    (0, math.pi / 2),
]
EPS = 1e-12


def rotations(dtype: torch.dtype) -> Tensor:
    """The six rotations Rx Ry Rz (z always by a quarter turn), with sines and cosines rounded as
    the type rounds them.
    """
    matrices = []
    for x, y in ANGLES:
        angles = torch.tensor([x, y, math.pi / 2], dtype=dtype)
        (cx, cy, cz), (sx, sy, sz) = angles.cos().tolist(), angles.sin().tolist()
        rx = torch.tensor([[1, 0, 0], [0, cx, -sx], [0, sx, cx]], dtype=dtype)
        ry = torch.tensor([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]], dtype=dtype)
        rz = torch.tensor([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]], dtype=dtype)
        matrices.append(rx @ ry @ rz)
    return torch.stack(matrices)


def spread(coordinate: Tensor, footprint: int) -> Tensor:
    """Return the pixel coordinates that a point covers: (B, N) -> (B, N, footprint), rounded up."""
    steps = torch.linspace(-footprint / 2, footprint / 2 - 1, footprint, device=coordinate.device)
    return (coordinate[:, :, None].repeat(1, 1, footprint) + steps).ceil()


def depth_images(points: Tensor, size: int, footprint: int) -> Tensor:
    """Depth images (B, R, R) of points (B, N, 3) in camera coordinates: the 1/z-weighted mean of
    the depths on a pixel.
    """
    depth = points[:, :, 2]
    row = spread((points[:, :, 0] / (depth + EPS) + 1) * size / 2, footprint)
    column = spread((points[:, :, 1] / (depth + EPS) + 1) * size / 2, footprint)
    row = row[:, :, :, None].repeat(1, 1, 1, footprint)
    column = column[:, :, None, :].repeat(1, 1, footprint, 1)
    depth = depth[:, :, None, None].repeat(1, 1, footprint, footprint)
    inside = (row >= 0) & (row <= size - 1) & (column >= 0) & (column <= size - 1) & (depth >= 0)
    weight = inside.to(depth.dtype) / (depth + EPS)
    place = ((row % size) * size + column % size).long().flatten(1)
    zeros = points.new_zeros(len(points), size * size)
    total = zeros.scatter_add(1, place, weight.flatten(1))
    total = total + (total == 0)
    return (zeros.scatter_add(1, place, (weight * depth).flatten(1)) / total).view(-1, size, size)


def simpleview_project(
    points: Tensor, image_size: int = 128, distance: float = 1.4, footprint: int = 1
) -> Tensor:
    """Six depth images of every cloud: (B, N, 3) -> (B, 6, 1, R, R)."""
    batch = len(points)
    turn = rotations(points.dtype).transpose(1, 2).to(points.device).repeat(batch, 1, 1)
    seen = torch.matmul(points[:, None].repeat(1, 6, 1, 1).flatten(0, 1), turn)
    seen = seen + points.new_tensor([0.0, 0.0, distance])
    return depth_images(seen, image_size, footprint).view(batch, 6, 1, image_size, image_size)
