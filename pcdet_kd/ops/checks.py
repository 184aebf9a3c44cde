"""Argument checks shared by the ops: a wrong shape or value is a ``ValueError`` that names the argument."""

import torch
from torch import Tensor


def check_cloud(name: str, points: Tensor, channels: int | None = None, finite: bool = True) -> None:
    """Raise ``ValueError`` unless ``points`` is a non-empty, finite, floating (B, N, C) tensor.

    Args:
        name: The argument's name, for the message.
        points: What was given.
        channels: The C that is needed, or None for any C >= 1.
        finite: Look at the values as well. It costs one pass, and one synchronisation on CUDA.
    """
    shape = tuple(points.shape)
    wanted = f'(B, N, {channels or "C"})'
    if points.dim() != 3 or (channels is not None and shape[2] != channels):
        raise ValueError(f'{name} has shape {shape}, expected {wanted}')
    if 0 in shape:
        raise ValueError(f'{name} has shape {shape}: it is empty, expected {wanted} with every size at least 1')
    if not points.is_floating_point():
        raise ValueError(f'{name} {shape} has dtype {points.dtype}, expected a floating-point type')
    if finite and not torch.compiler.is_compiling() and not bool(torch.isfinite(points).all()):
        raise ValueError(f'{name} {shape} holds NaN or infinite values')


def check_batch(names: tuple[str, str], a: Tensor, b: Tensor) -> None:
    """Raise ``ValueError`` unless (B, N, C) and (B, M, C) agree in B, C and device."""
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[2]:
        raise ValueError(f'{names[0]} {tuple(a.shape)} and {names[1]} {tuple(b.shape)} need equal batch sizes and channels')
    if a.device != b.device:
        raise ValueError(f'{names[0]} is on {a.device} and {names[1]} on {b.device}, expected one device')


def check_count(name: str, value: int, limit: int | None, of: str) -> None:
    """Raise ``ValueError`` unless ``value`` is an int of 1 to ``limit`` (None: no upper bound)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f'{name} is {value!r}, expected a positive int')
    if limit is not None and value > limit:
        raise ValueError(f'{name} is {value}, more than the {limit} points of {of}')


def check_choice(name: str, value: object, choices: tuple) -> None:
    """Raise ``ValueError`` unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ValueError(f'{name} is {value!r}, expected one of {choices}')
