"""Checks and small helpers that all backbones share."""

import torch
from torch import Tensor


def split_points(points: Tensor, in_channels: int, name: str) -> tuple[Tensor, Tensor | None]:
    """Split clouds (B, N, C) into coordinates (B, N, 3) and further channels (B, N, C-3), or None
    if there are none.

    Args:
        points: The clouds, xyz first.
        in_channels: The C that is expected.
        name: Who asks, for the message.

    Raises:
        ValueError: The shape is another one, or the clouds are empty.
    """
    if points.dim() != 3 or points.shape[-1] != in_channels or points.shape[1] == 0:
        hint = (
            f': set in_channels={points.shape[-1]}'
            if points.dim() == 3 and points.shape[-1] > 3
            else ''
        )
        raise ValueError(
            f'{name} takes points (B, N, {in_channels}) with N > 0, got {tuple(points.shape)}{hint}'
        )
    return points[..., :3], points[..., 3:] if in_channels > 3 else None


def check_in_channels(in_channels: int, name: str) -> int:
    """Return ``in_channels``, which must be at least 3 (xyz comes first)."""
    if in_channels < 3:
        raise ValueError(
            f'{name}: in_channels is {in_channels}, must be at least 3 (x, y, z come first)'
        )
    return in_channels


def at_least_float32(x: Tensor) -> Tensor:
    """Return ``x`` in float32, or in float64 if it is float64: for statistics and losses under
    autocast.
    """
    return x.to(torch.promote_types(x.dtype, torch.float32))
