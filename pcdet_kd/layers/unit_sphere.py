"""Batches of clouds in the unit sphere."""

import torch
from torch import Tensor


def unit_sphere(points: Tensor, num_points: Tensor | None = None) -> Tensor:
    """Move clouds to their mean and scale them to a largest distance of 1 from it.

    Args:
        points: (B, N, 3).
        num_points: (B,) how many of the points count, the first ones; None: all. The others are
            moved and scaled along.

    Returns:
        (B, N, 3).
    """
    real = torch.ones_like(points[..., :1])
    if num_points is not None:
        first = torch.arange(points.shape[1], device=points.device) < num_points[:, None]
        real = first.unsqueeze(-1).to(points.dtype)
    centre = (points * real).sum(1, keepdim=True) / real.sum(1, keepdim=True)
    return scaled(points - centre, radius_of((points - centre) * real))


def radius_of(points: Tensor) -> Tensor:
    """Return the largest distance from the origin, (B,), of clouds (B, N, 3)."""
    return points.norm(dim=-1).amax(dim=1)


def scaled(points: Tensor, size: Tensor) -> Tensor:
    """Return points (B, N, 3) divided by size (B,); where that is 0, as they are."""
    return points / torch.where(size > 0, size, 1)[:, None, None]
