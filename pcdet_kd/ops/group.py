"""Gather features by index."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_index, check_no_tangent


def group(features: Tensor, index: Tensor) -> Tensor:
    """Gather rows of each cloud.

    Args:
        features: (B, N, C) of any type.
        index: (B, S, k) or (B, S) int64 indices into N, as from :func:`knn`, :func:`ball_query` or
            :func:`farthest_point_sample`. Duplicates are allowed.

    Returns:
        (B, S, k, C) or (B, S, C), with the gradient to ``features`` (a sum over the duplicates;
        deterministic on CPU, and on CUDA under ``torch.use_deterministic_algorithms``).

    Raises:
        ValueError: Wrong shapes or types, unequal batch sizes or devices, or an index outside the
            cloud.
    """
    if features.dim() != 3 or 0 in features.shape[:2]:
        raise ValueError(
            f'features has shape {tuple(features.shape)}, expected (B, N, C), not empty'
        )
    check_index('index', index, features)
    check_no_tangent('group', features)
    return _group(features, index)


def group_torch(features: Tensor, index: Tensor) -> Tensor:
    """The same in plain torch, on any device: one index_select, which is about twice as fast as
    gather.
    """
    batch, num_points, channels = features.shape
    return (
        features.reshape(batch * num_points, channels)
        .index_select(0, _flat(index, num_points))
        .view(*index.shape, channels)
    )


def group_backward_torch(grad: Tensor, index: Tensor, num_points: int) -> Tensor:
    """Return the gradient to features (B, N, C) from that of the grouped ones: a sum over the
    places each row went to.

    Half precision is added up in float32: in bfloat16 a sum of a hundred rows would be off by
    percents.
    """
    batch, channels = index.shape[0], grad.shape[-1]
    wide = torch.promote_types(grad.dtype, torch.float32)
    total = grad.new_zeros(batch * num_points, channels, dtype=wide)
    total.index_add_(0, _flat(index, num_points), grad.reshape(-1, channels).to(wide))
    return total.to(grad.dtype).view(batch, num_points, channels)


def _flat(index: Tensor, num_points: int) -> Tensor:
    offset = torch.arange(index.shape[0], device=index.device) * num_points
    return (index + offset.view(-1, *[1] * (index.dim() - 1))).reshape(-1)


_group = backend.define(
    group_torch,
    lambda features, index: features.new_empty(*index.shape, features.shape[2]),
)
_group_backward = backend.define(
    group_backward_torch,
    lambda grad, index, num_points: grad.new_empty(index.shape[0], num_points, grad.shape[-1]),
)


def _save(ctx, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])
    ctx.num_points = inputs[0].shape[1]


_group.register_autograd(
    lambda ctx, grad: (_group_backward(grad, ctx.saved_tensors[0], ctx.num_points), None),
    setup_context=_save,
)
_group_backward.register_autograd(
    lambda ctx, grad: (_group(grad, ctx.saved_tensors[0]), None, None),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[1]),
)
