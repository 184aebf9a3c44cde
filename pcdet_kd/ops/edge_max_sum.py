"""Maximum and sum over neighbours: what an EdgeConv needs of its edges."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_cloud, check_index, check_no_tangent

CHUNK = 1 << 22  # elements of an edge tensor that the plain form makes at once


def edge_max_sum(features: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Reduce the features of each centre's neighbours to their maximum and their sum, channel by
    channel.

    The result is that of ``group(features, index)`` followed by ``max`` and ``sum`` over k; the
    kernels never make the tensor (B, S, k, C) between, forwards or backwards.

    Args:
        features: (B, N, C), any floating-point type.
        index: (B, S, k) int64 indices into N, as from :func:`knn` or :func:`ball_query`. Duplicates
            count as often as they occur.

    Returns:
        - maximum (B, S, C),
        - argmax (B, S, C) int64, the point in N that it comes from; the one that is first along k
          if several are largest,
        - sum (B, S, C).

        Maximum and sum are float32 for features of half precision (also under autocast), else of
        the features' type. Both have gradients to ``features``, of the features' type; the
        maximum's goes to the argmax. On CPU the gradient is added up in a fixed order. A NaN is
        larger than every number.

    Raises:
        ValueError: Wrong shapes or types, k = 0, unequal batch sizes or devices, or an index
            outside the cloud.
    """
    check_cloud('features', features, finite=False)
    check_index('index', index, features, dims=(3,))
    if 0 in index.shape:
        raise ValueError(
            f'index has shape {tuple(index.shape)}: it is empty, expected (B, S, k) with S and k '
            'at least 1'
        )
    check_no_tangent('edge_max_sum', features)
    return _edge_max_sum(features, index)


def edge_max_sum_torch(features: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same in plain torch, on any device: :func:`edge_max_sum` without checks, a few centres at
    a time.
    """
    batch, num_points, channels = features.shape
    wide = features.to(torch.promote_types(features.dtype, torch.float32))
    flat = wide.reshape(batch * num_points, channels)
    offset = torch.arange(batch, device=index.device).view(-1, 1, 1) * num_points
    parts = []
    for part in (index + offset).flatten(0, 1).split(max(1, CHUNK // (index.shape[2] * channels))):
        edges = flat.index_select(0, part.reshape(-1)).view(*part.shape, channels)
        highest, place = edges.max(dim=1)
        parts.append((highest, part.gather(1, place), edges.sum(dim=1)))
    highest, argmax, total = (
        torch.cat(column).view(*index.shape[:2], channels) for column in zip(*parts)
    )
    return highest, argmax - offset, total


def edge_max_sum_backward_torch(
    grad_max: Tensor, grad_sum: Tensor, argmax: Tensor, index: Tensor, num_points: int
) -> Tensor:
    """Return the gradient to features (B, N, C) from those of the maximum and the sum (B, S, C)."""
    wide = torch.promote_types(grad_max.dtype, torch.float32)
    grad = torch.zeros(
        len(index), num_points, grad_max.shape[2], dtype=wide, device=grad_max.device
    )
    grad.scatter_add_(1, argmax, grad_max.to(wide))
    offset = torch.arange(len(index), device=index.device).view(-1, 1, 1) * num_points
    flat, total = grad.view(-1, grad.shape[2]), grad_sum.to(wide).flatten(0, 1)
    for neighbour in (index + offset).flatten(0, 1).unbind(1):
        flat.index_add_(0, neighbour, total)
    return grad


def _empty(features: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    shape = *index.shape[:2], features.shape[2]
    wide = torch.promote_types(features.dtype, torch.float32)
    highest = features.new_empty(shape, dtype=wide)
    return highest, index.new_empty(shape), torch.empty_like(highest)


_edge_max_sum = backend.define(edge_max_sum_torch, _empty)
_edge_max_sum_backward = backend.define(
    edge_max_sum_backward_torch,
    lambda grad_max, grad_sum, argmax, index, num_points: grad_max.new_empty(
        index.shape[0],
        num_points,
        grad_max.shape[2],
        dtype=torch.promote_types(grad_max.dtype, torch.float32),
    ),
)


def _save(ctx, inputs: tuple, output: tuple) -> None:
    features, index = inputs
    ctx.save_for_backward(output[1], index)
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)
    ctx.num_points, ctx.dtype = features.shape[1], features.dtype


def _backward(
    ctx, grad_max: Tensor | None, _grad_argmax: None, grad_sum: Tensor | None
) -> tuple[Tensor | None, None]:
    if grad_max is None and grad_sum is None:
        return None, None
    argmax, index = ctx.saved_tensors
    grad_max = torch.zeros_like(grad_sum) if grad_max is None else grad_max
    grad_sum = torch.zeros_like(grad_max) if grad_sum is None else grad_sum
    return _edge_max_sum_backward(grad_max, grad_sum, argmax, index, ctx.num_points).to(
        ctx.dtype
    ), None


def _backward_save(ctx, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs[2:4])


def _backward_backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
    argmax, index = ctx.saved_tensors
    return grad.gather(1, argmax), _edge_max_sum(grad, index)[2], None, None, None


_edge_max_sum.register_autograd(_backward, setup_context=_save)
_edge_max_sum_backward.register_autograd(_backward_backward, setup_context=_backward_save)
