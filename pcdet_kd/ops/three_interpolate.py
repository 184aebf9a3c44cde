"""Interpolation of features from the three nearest points."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_cloud, check_clouds, check_no_tangent
from pcdet_kd.ops.group import group_backward_torch
from pcdet_kd.ops.knn import squared_distances
from pcdet_kd.utils.arguments import check_choice

# 1 / (d + eps) is written as (1 / eps) / (d / eps + 1): ONNX's optimiser takes d + 1e-8 for d
PER_EPS = 1e8
LARGEST = torch.finfo(torch.float32).max


def three_interpolate(
    query: Tensor,
    points: Tensor,
    features: Tensor,
    compat: str | None = None,
) -> Tensor:
    """Carry features from a coarse cloud to a finer one, as the feature propagation of PointNet++
    (Qi et al., 2017) does.

    A query gets the mean of the features of its three nearest points, weighted by the inverse of
    their distance. Where it coincides with a point, it gets that point's feature (to a millionth,
    unless all three coincide with it).

    Args:
        query: (B, S, 3) where features are wanted.
        points: (B, N, 3) where they are known. From a cloud of one or two points, these are used
            and no third.
        features: (B, N, C), any floating-point type.
        compat: None weighs by 1 / (d^2 + 1e-8), as the paper (p = 2) and the PyTorch ports of
            PointNet++ do. ``'pointnet2'`` weighs by 1 / (d + 1e-8), as the modules around the CUDA
            kernels of pointnet2_ops do.

    Returns:
        (B, S, C) of the features' type; sums are made in float32 (in float64 for float64 features).
        The gradient goes to ``features`` and not to coordinates; on CPU it is added up in a fixed
        order. Among equally near points the lowest index counts.

    Distances are sums of squared differences in float32, so that near points, which have the
    greatest weights, are exact.

    Raises:
        ValueError: Wrong or unequal shapes, types or devices, or coordinates that are not finite.
    """
    check_clouds(('query', 'points'), query, points, channels=3)
    check_cloud('features', features, finite=False)
    check_choice('compat', compat, (None, 'pointnet2'))
    if features.shape[:2] != points.shape[:2]:
        raise ValueError(
            f'features has shape {tuple(features.shape)}, expected {(*points.shape[:2], "C")} for '
            f'points {tuple(points.shape)}'
        )
    if features.device != points.device:
        raise ValueError(
            f'features is on {features.device} and points on {points.device}, expected one device'
        )
    check_no_tangent('three_interpolate', features)
    index, squared = _three_nn(query.detach(), points.detach())
    far = (squared.sqrt() if compat == 'pointnet2' else squared).clamp(max=LARGEST)
    unit = far[..., :1].clamp(
        min=1
    )  # of the nearest: else the weights of far clouds, such as 1e18 away, would all be 0
    weight = 1 / (far / unit * PER_EPS + 1 / unit)
    return _interpolate(features, index, weight / weight.sum(2, keepdim=True))


def three_nn_torch(query: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the three nearest points (B, S, 3), nearest first, and their squared distances, in
    plain torch on any device.

    What a cloud of fewer points lacks is its nearest again, infinitely far.
    """
    found = []
    for q, p in zip(query.detach(), points.detach()):
        distances = squared_distances(q, p)
        n = distances.shape[1]
        keys = (distances.view(torch.int32).long() << 32) | torch.arange(n, device=q.device)
        index = keys.topk(min(3, n), dim=1, largest=False, sorted=True).values & 0xFFFFFFFF
        nearest = distances.gather(1, index)
        if n < 3:
            index = torch.cat([index, index[:, :1].expand(-1, 3 - n)], 1)
            nearest = torch.cat(
                [nearest, torch.full_like(nearest[:, :1], torch.inf).expand(-1, 3 - n)], 1
            )
        found.append((index, nearest))
    return torch.stack([f[0] for f in found]), torch.stack([f[1] for f in found])


def interpolate_torch(features: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Return the sums (B, S, C) of the features (B, N, C) in index (B, S, k), weighted (B, S, k),
    on any device.
    """
    batch, num_points, channels = features.shape
    wide = features.to(torch.promote_types(features.dtype, torch.float32)).reshape(-1, channels)
    flat = (index + torch.arange(batch, device=index.device).view(-1, 1, 1) * num_points).flatten(
        0, 1
    )
    weight = weight.to(wide.dtype).flatten(0, 1)
    total = None
    for i in range(index.shape[2]):  # one after the other, as the kernel does
        term = wide.index_select(0, flat[:, i]) * weight[:, i, None]
        total = term if total is None else total + term
    return total.view(*index.shape[:2], channels).to(features.dtype)


def interpolate_backward_torch(
    grad: Tensor, index: Tensor, weight: Tensor, num_points: int
) -> Tensor:
    """Return the gradient to features (B, N, C) from that of the sums (B, S, C)."""
    wide = grad.to(torch.promote_types(grad.dtype, torch.float32))
    return group_backward_torch(
        wide.unsqueeze(2) * weight.to(wide.dtype).unsqueeze(3), index, num_points
    ).to(grad.dtype)


_three_nn = backend.define(
    three_nn_torch,
    lambda query, points: (
        query.new_empty(*query.shape[:2], 3, dtype=torch.int64),
        query.new_empty(*query.shape[:2], 3, dtype=torch.float32),
    ),
)
_interpolate = backend.define(
    interpolate_torch,
    lambda features, index, weight: features.new_empty(*index.shape[:2], features.shape[2]),
)
_interpolate_backward = backend.define(
    interpolate_backward_torch,
    lambda grad, index, weight, num_points: grad.new_empty(
        index.shape[0], num_points, grad.shape[2]
    ),
)


def _save(ctx, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(inputs[1], inputs[2])
    ctx.num_points = inputs[0].shape[1]


_interpolate.register_autograd(
    lambda ctx, grad: (_interpolate_backward(grad, *ctx.saved_tensors, ctx.num_points), None, None),
    setup_context=_save,
)
_interpolate_backward.register_autograd(
    lambda ctx, grad: (_interpolate(grad, *ctx.saved_tensors), None, None, None),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[1], inputs[2]),
)
