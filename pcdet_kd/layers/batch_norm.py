"""BatchNorm without all rows in memory: the caller computes the sums, the rest is done here."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def is_plain_batch_norm(norm: nn.Module | None) -> bool:
    """Return whether ``norm`` is torch's BatchNorm, SyncBatchNorm included, and not a subclass."""
    return type(norm) in (nn.BatchNorm1d, nn.SyncBatchNorm)


def uses_batch(norm: nn.Module) -> bool:
    """Return whether ``norm`` would now normalise by the batch's statistics instead of the running
    ones.
    """
    return norm.training or norm.running_mean is None


def check_rows(norm: nn.Module, rows: int) -> None:
    """Raise ``ValueError`` if ``norm`` would take statistics of one row, as BatchNorm does."""
    if uses_batch(norm) and rows < 2:
        raise ValueError(
            'BatchNorm needs more than 1 value per channel in training: give a larger batch or '
            'more points'
        )


def sum_over_processes(norm: nn.Module, *values: Tensor) -> tuple[Tensor, ...]:
    """Return ``values`` added up over the processes of a SyncBatchNorm in training, with the
    gradient; else unchanged.

    All values are vectors or numbers of one type; they are sent together.
    """
    if not (
        isinstance(norm, nn.SyncBatchNorm)
        and norm.training
        and dist.is_available()
        and dist.is_initialized()
        and dist.get_world_size(norm.process_group) > 1
    ):
        return values
    flat = _AllReduce.apply(torch.cat([value.reshape(-1) for value in values]), norm.process_group)
    return tuple(
        part.view(value.shape)
        for part, value in zip(flat.split([v.numel() for v in values]), values)
    )


class _AllReduce(torch.autograd.Function):
    """Sum over processes; the gradient of every process's loss reaches every process's term, so it
    is summed too.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, group: Any) -> Tensor:
        ctx.group = group
        total = value.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _AllReduce.apply(grad, ctx.group), None


@torch.no_grad()
def update_running(norm: nn.Module, mean: Tensor, var: Tensor, rows: Tensor | int) -> None:
    """Move the running statistics towards those of this batch, as BatchNorm's forward does in
    training.

    Args:
        norm: The BatchNorm; nothing happens in evaluation mode or if it keeps no statistics.
        mean: (C,).
        var: (C,) without the correction for bias, which is applied here.
        rows: How many rows they were taken of.
    """
    if not norm.training or norm.running_mean is None:
        return
    norm.num_batches_tracked.add_(1)
    factor = (
        1 / norm.num_batches_tracked.to(norm.running_mean)
        if norm.momentum is None
        else norm.momentum
    )
    unbiased = var * (rows / (rows - 1))
    for running, new in ((norm.running_mean, mean), (norm.running_var, unbiased)):
        running.add_(factor * (new.to(running.dtype) - running))


def affine(norm: nn.Module, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return gamma and beta (C,), which are 1 and 0 without affine parameters, in the type of
    ``like``.
    """
    if norm.weight is None:
        return like.new_ones(norm.num_features), like.new_zeros(norm.num_features)
    return norm.weight.to(like.dtype), norm.bias.to(like.dtype)


def sign_of_scale(norm: nn.Module, like: Tensor) -> Tensor:
    """Return +1 (C,), or -1 where gamma is negative: there the largest output comes from the
    smallest input.
    """
    return torch.where(affine(norm, like)[0].detach() < 0, -1.0, 1.0).to(like.dtype)
