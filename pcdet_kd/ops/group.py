"""Gather features by index."""

import torch
from torch import Tensor


def group(features: Tensor, index: Tensor) -> Tensor:
    """Gather rows of each cloud.

    Args:
        features: (B, N, C) of any type.
        index: (B, S, k) or (B, S) int64 indices into N, as from :func:`knn`, :func:`ball_query` or
            :func:`farthest_point_sample`. Duplicates are allowed.

    Returns:
        (B, S, k, C) or (B, S, C), with the gradient to ``features`` (a sum over the duplicates; deterministic on CPU, and on
        CUDA under ``torch.use_deterministic_algorithms``).

    Raises:
        ValueError: Wrong shapes or types, unequal batch sizes, or, on CPU, an index outside the cloud. On CUDA that last
            check would wait for the device, and is left out.
    """
    if features.dim() != 3 or 0 in features.shape[:2]:
        raise ValueError(f'features has shape {tuple(features.shape)}, expected (B, N, C), not empty')
    if index.dim() not in (2, 3) or index.shape[0] != features.shape[0]:
        raise ValueError(f'index has shape {tuple(index.shape)}, expected ({features.shape[0]}, S) or '
                         f'({features.shape[0]}, S, k) for features {tuple(features.shape)}')
    if index.dtype != torch.int64:
        raise ValueError(f'index {tuple(index.shape)} has dtype {index.dtype}, expected torch.int64')
    batch, num_points, channels = features.shape
    if index.device.type == 'cpu' and not torch.compiler.is_compiling() and index.numel():
        low, high = (int(v) for v in torch.aminmax(index))
        if low < 0 or high >= num_points:
            raise ValueError(f'index {tuple(index.shape)} holds values from {low} to {high}, outside the {num_points} '
                             f'points of features {tuple(features.shape)}')
    # index_select on the flattened clouds: gather and advanced indexing cost about twice as much
    offset = torch.arange(batch, device=index.device) * num_points
    flat = (index + offset.view(batch, *[1] * (index.dim() - 1))).reshape(-1)
    return features.reshape(batch * num_points, channels).index_select(0, flat).view(*index.shape, channels)
