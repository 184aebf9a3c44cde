"""Maximum and sum over neighbours, and the gradient of both."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from pcdet_kd.ops.gpu.common import OPTIONS, on_device, power_of_2

TILE = 1024  # elements (centres x channels) that a program works on at once


@triton.jit
def _max_sum(
    features,
    index,
    highest,
    argmax,
    total,
    num_rows,
    num_centres,
    num_points,
    channels,
    k,
    ROWS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    real = row < num_rows
    mask = real[:, None] & (channel < channels)[None, :]
    start = row // num_centres * num_points
    wide = highest.dtype.element_ty
    j = tl.load(index + row * k, real, 0)
    best = tl.load(features + ((start + j) * channels)[:, None] + channel[None, :], mask, 0.0).to(
        wide
    )
    added = best
    at = tl.zeros((ROWS, CHANNELS), tl.int64) + j[:, None]
    for i in range(1, k):
        j = tl.load(index + row * k + i, real, 0)
        value = tl.load(
            features + ((start + j) * channels)[:, None] + channel[None, :], mask, 0.0
        ).to(wide)
        larger = (value > best) | (
            (value != value) & (best == best)
        )  # the first NaN is the largest
        at = tl.where(larger, j[:, None], at)
        best = tl.where(larger, value, best)
        added += value
    place = (row * channels)[:, None] + channel[None, :]
    tl.store(highest + place, best, mask)
    tl.store(argmax + place, at, mask)
    tl.store(total + place, added, mask)


@triton.jit
def _scatter(
    grad_max,
    grad_sum,
    argmax,
    index,
    grad,
    num_rows,
    num_centres,
    num_points,
    channels,
    k,
    ROWS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    real = row < num_rows
    mask = real[:, None] & (channel < channels)[None, :]
    start = row // num_centres * num_points
    wide = grad.dtype.element_ty
    place = (row * channels)[:, None] + channel[None, :]
    at = tl.load(argmax + place, mask, 0)
    tl.atomic_add(
        grad + (start[:, None] + at) * channels + channel[None, :],
        tl.load(grad_max + place, mask, 0.0).to(wide),
        mask,
        sem='relaxed',
    )
    value = tl.load(grad_sum + place, mask, 0.0).to(wide)
    for i in range(k):
        j = tl.load(index + row * k + i, real, 0)
        tl.atomic_add(
            grad + ((start + j) * channels)[:, None] + channel[None, :], value, mask, sem='relaxed'
        )


@triton.jit
def _gather(
    grad_max,
    grad_sum,
    argmax,
    order,
    starts,
    grad,
    num_centres,
    num_points,
    channels,
    k,
    CHANNELS: tl.constexpr,
):
    # one program per point; the edges that end in it, in the order of their centres, are
    # order[starts[p]:starts[p + 1]]
    point = tl.program_id(0).to(tl.int64)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    mask = channel < channels
    wide = grad.dtype.element_ty
    inside = point % num_points
    added = tl.zeros((CHANNELS,), wide)
    previous = tl.full((), -1, tl.int64)
    for e in range(tl.load(starts + point), tl.load(starts + point + 1)):
        row = tl.load(order + e) // k
        added += tl.load(grad_sum + row * channels + channel, mask, 0.0).to(wide)
        # the maximum counts once, however often the point is a neighbour of this centre
        here = tl.load(argmax + row * channels + channel, mask, -1) == tl.where(
            row == previous, -2, inside
        )
        added += tl.load(grad_max + row * channels + channel, mask & here, 0.0).to(wide)
        previous = row
    tl.store(grad + point * channels + channel, added, mask)


def _tile(channels: int) -> tuple[int, int, int]:
    """Return rows and channels of a program's tile, and how many programs lie side by side."""
    width = min(power_of_2(channels, 16), 256)
    return max(TILE // width, 1), width, triton.cdiv(channels, width)


def edge_max_sum(features: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.edge_max_sum.edge_max_sum_torch`; sums are made in the order of k."""
    features, index = features.detach().contiguous(), index.contiguous()
    (batch, num_points, channels), (_, num_centres, k) = features.shape, index.shape
    wide = torch.promote_types(features.dtype, torch.float32)
    highest = torch.empty(batch, num_centres, channels, dtype=wide, device=features.device)
    argmax, total = torch.empty_like(highest, dtype=torch.int64), torch.empty_like(highest)
    height, width, across = _tile(channels)
    if highest.numel():
        with on_device(features):
            _max_sum[(triton.cdiv(batch * num_centres, height), across)](
                features,
                index,
                highest,
                argmax,
                total,
                batch * num_centres,
                num_centres,
                num_points,
                channels,
                k,
                ROWS=height,
                CHANNELS=width,
                num_warps=4,
                **OPTIONS,
            )
    return highest, argmax, total


def edge_max_sum_backward(
    grad_max: Tensor, grad_sum: Tensor, argmax: Tensor, index: Tensor, num_points: int
) -> Tensor:
    """See :func:`pcdet_kd.ops.edge_max_sum.edge_max_sum_backward_torch`.

    By default every edge adds to its point atomically, in an order that changes from run to run, as
    in most of torch's own gradients. Under ``torch.use_deterministic_algorithms`` the edges are
    sorted first and each point adds up its own.
    """
    grad_max, grad_sum, argmax, index = (
        t.detach().contiguous() for t in (grad_max, grad_sum, argmax, index)
    )
    (batch, num_centres, k), channels = index.shape, grad_max.shape[2]
    shape, device = (batch, num_points, channels), grad_max.device
    wide = torch.promote_types(grad_max.dtype, torch.float32)
    height, width, across = _tile(channels)
    if not grad_max.numel():
        return torch.zeros(shape, dtype=wide, device=device)
    if not torch.are_deterministic_algorithms_enabled():
        grad = torch.zeros(shape, dtype=wide, device=device)
        with on_device(grad):
            _scatter[(triton.cdiv(batch * num_centres, height), across)](
                grad_max,
                grad_sum,
                argmax,
                index,
                grad,
                batch * num_centres,
                num_centres,
                num_points,
                channels,
                k,
                ROWS=height,
                CHANNELS=width,
                num_warps=4,
                **OPTIONS,
            )
        return grad
    grad = torch.empty(shape, dtype=wide, device=device)
    flat = (index + torch.arange(batch, device=device).view(-1, 1, 1) * num_points).view(-1)
    points, order = flat.sort(stable=True)
    starts = torch.searchsorted(points, torch.arange(batch * num_points + 1, device=device))
    with on_device(grad):
        _gather[(batch * num_points, across)](
            grad_max,
            grad_sum,
            argmax,
            order,
            starts,
            grad,
            num_centres,
            num_points,
            channels,
            k,
            CHANNELS=width,
            num_warps=max(1, width // 64),
            **OPTIONS,
        )
    return grad
