"""Argument checks shared by the ops: a wrong shape or value is a ``ValueError`` that names the
argument.
"""

import torch
from torch import Tensor
from torch.autograd import forward_ad

from pcdet_kd.ops.backend import checks_values


def check_cloud(
    name: str, points: Tensor, channels: int | None = None, finite: bool = True
) -> None:
    """Raise ``ValueError`` unless ``points`` is a non-empty, finite, floating (B, N, C) tensor.

    Args:
        name: The argument's name, for the message.
        points: What was given.
        channels: The C that is needed, or None for any C >= 1.
        finite: Look at the values as well, unless :class:`use` turned that off. It costs one pass,
            and on CUDA a wait for the device.
    """
    shape = tuple(points.shape)
    wanted = f'(B, N, {channels or "C"})'
    if points.dim() != 3 or (channels is not None and shape[2] != channels):
        raise ValueError(f'{name} has shape {shape}, expected {wanted}')
    if 0 in shape:
        raise ValueError(
            f'{name} has shape {shape}: it is empty, expected {wanted} with every size at least 1'
        )
    if not points.is_floating_point():
        raise ValueError(f'{name} {shape} has dtype {points.dtype}, expected a floating-point type')
    if finite and checks_values():
        _check_device(name, points)
        if not bool(torch.isfinite(points).all()):
            raise ValueError(f'{name} {shape} holds NaN or infinite values')


def _check_device(name: str, tensor: Tensor) -> None:
    if tensor.is_meta:
        raise ValueError(
            f'{name} {tuple(tensor.shape)} is on the meta device, which holds no values'
        )


def check_clouds(names: tuple[str, str], a: Tensor, b: Tensor, channels: int | None = None) -> None:
    """Raise ``ValueError`` unless both pass :func:`check_cloud`, and (B, N, C) and (B, M, C) agree
    in B, C and device.
    """
    check_cloud(names[0], a, channels)
    check_cloud(names[1], b, channels, finite=b is not a)
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[2]:
        raise ValueError(
            f'{names[0]} {tuple(a.shape)} and {names[1]} {tuple(b.shape)} need equal batch sizes '
            'and channels'
        )
    if a.device != b.device:
        raise ValueError(
            f'{names[0]} is on {a.device} and {names[1]} on {b.device}, expected one device'
        )


def check_index(name: str, index: Tensor, features: Tensor, dims: tuple[int, ...] = (2, 3)) -> None:
    """Raise ``ValueError`` unless ``index`` is (B, S) or (B, S, k) int64 with values below N, for
    features (B, N, C).
    """
    shape, wanted = tuple(index.shape), tuple(features.shape)
    if index.dim() not in dims or shape[0] != wanted[0]:
        forms = ' or '.join(f'({wanted[0]}, S{", k" * (d - 2)})' for d in dims)
        raise ValueError(f'{name} has shape {shape}, expected {forms} for features {wanted}')
    if index.dtype != torch.int64:
        raise ValueError(f'{name} {shape} has dtype {index.dtype}, expected torch.int64')
    if index.device != features.device:
        raise ValueError(
            f'{name} is on {index.device} and features on {features.device}, expected one device'
        )
    if index.numel() and checks_values():
        _check_device(name, index)
        low, high = (int(v) for v in torch.aminmax(index))
        if low < 0 or high >= wanted[1]:
            raise ValueError(
                f'{name} {shape} holds values from {low} to {high}, outside the {wanted[1]} '
                f'points of features {wanted}'
            )


def check_count(name: str, value: int, limit: int | None, of: str) -> None:
    """Raise ``ValueError`` unless ``value`` is an int of 1 to ``limit`` (None: no upper bound)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f'{name} is {value!r}, expected a positive int')
    if limit is not None and value > limit:
        raise ValueError(f'{name} is {value}, more than the {limit} points of {of}')


def check_no_tangent(op: str, tensor: Tensor) -> None:
    """Raise ``NotImplementedError`` under forward-mode differentiation, for which torch would take
    0 in silence.
    """
    if torch.compiler.is_compiling() or forward_ad._current_level < 0:
        return
    if forward_ad.unpack_dual(tensor).tangent is not None:
        raise NotImplementedError(
            f'{op} has no forward-mode derivative (jvp, jacfwd, hessian): use backward or '
            'torch.autograd.grad, which may be taken twice'
        )
