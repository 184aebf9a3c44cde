"""Tensors of all processes in one, with gradients."""

from typing import Any

import torch
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size
from torch import Tensor


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor, dim: int) -> Tensor:
        ctx.dim, ctx.size = dim, own.shape[dim]
        return torch.cat(all_gather(own.contiguous()), dim=dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        # every process has part of the loss's gradient for these rows
        grad = grad.contiguous().clone()
        all_reduce(grad)
        return grad.narrow(ctx.dim, get_rank() * ctx.size, ctx.size), None


def gather_with_gradient(own: Tensor, dim: int = 0) -> tuple[Tensor, int]:
    """Join the tensors of all processes, which have one shape, in the order of their ranks.

    The backward pass sums the gradients of all processes. With DistributedDataParallel, which
    averages them, the mean of the processes' losses is then differentiated exactly.

    Args:
        own: This process's tensor.
        dim: Dimension to join along.

    Returns:
        The joined tensor, and where in it this process's own part begins.
    """
    if get_world_size() == 1:
        return own, 0
    return _Gather.apply(own, dim), get_rank() * own.shape[dim]
