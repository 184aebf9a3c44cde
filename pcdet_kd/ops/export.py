"""The ops in terms of ATen, for graphs that leave PyTorch."""

from collections.abc import Callable

import torch
from torch import Tensor

from pcdet_kd.ops.group import group_torch
from pcdet_kd.ops.project_points import project_points_torch
from pcdet_kd.ops.three_interpolate import interpolate_torch

# The matchings are auctions of as many rounds as the values ask for. They belong to losses and have
# no place in the graph of a trained model. Meshes are rendered before a model sees them.
WITHOUT = ('emd_match', 'msn_match', 'rasterize_mesh')


def decompositions() -> dict[torch._ops.OpOverload, Callable]:
    """Return a function of plain ATen operators for every op but the matchings and the renderer of
    meshes.

    For graphs that are to run without this package, as ONNX's are::

        program = torch.export.export(model, (points,)).run_decompositions(decompositions())

    Shapes follow from shapes alone, so that the batch may be dynamic; the number of points is
    fixed. Memory is that of a matrix (B, S, N). Farthest point sampling becomes as many steps as
    there are samples, written one after the other. Where two points are equally far, the kernels
    take the lower index; here ``topk`` decides, which in ONNX takes the lower index, too.

    A graph with ``emd_match``, ``msn_match`` or ``rasterize_mesh`` keeps them.
    """
    functions = dict(
        ball_query=_ball_query,
        edge_max_sum=_edge_max_sum,
        edge_max_sum_backward=_edge_max_sum_backward,
        farthest_point_sample=_farthest_point_sample,
        group=group_torch,
        group_backward=_group_backward,
        interpolate=interpolate_torch,
        interpolate_backward=_interpolate_backward,
        knn=_knn,
        nearest_pairs=_nearest_pairs,
        project_points=project_points_torch,
        three_nn=_three_nn,
    )
    return {
        getattr(torch.ops.pcdet_kd, name).default: function for name, function in functions.items()
    }


def _squared(query: Tensor, points: Tensor) -> Tensor:
    """Return all squared distances (B, S, N) in float32."""
    dx, dy, dz = (points[:, None, :, c].float() - query[:, :, None, c].float() for c in range(3))
    return dx * dx + dy * dy + dz * dz


def _ball_query(query: Tensor, points: Tensor, limit: float, k: int, skip_copies: bool) -> Tensor:
    n, squared = points.shape[1], _squared(query, points)
    hit = (squared < limit) & (squared > 0) if skip_copies else squared < limit
    index = (
        torch.where(hit, torch.arange(n, device=query.device), n)
        .topk(min(k, n), dim=2, largest=False, sorted=True)
        .values
    )
    first = index[..., :1]
    first = torch.where(first == n, 0, first)
    index = torch.where(index == n, first, index)
    return index if k <= n else torch.cat([index, first.expand(-1, -1, k - n)], dim=2)


def _knn(query: Tensor, points: Tensor, k: int) -> Tensor:
    squared = _squared if query.shape[2] == 3 else _squared_of_features
    return squared(query, points).topk(k, dim=2, largest=False, sorted=True).indices


def _squared_of_features(query: Tensor, points: Tensor) -> Tensor:
    q, p = query.float(), points.float()
    centre = p.mean(1, keepdim=True)
    q, p = q - centre, p - centre
    squared = (p * p).sum(2)[:, None] - 2 * (q @ p.transpose(1, 2)) + (q * q).sum(2)[..., None]
    return squared.clamp(min=0)


def _three_nn(query: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    n = points.shape[1]
    squared, index = _squared(query, points).topk(min(3, n), dim=2, largest=False, sorted=True)
    if n < 3:
        squared = torch.cat(
            [squared, torch.full_like(squared[..., :1], torch.inf).expand(-1, -1, 3 - n)], dim=2
        )
        index = torch.cat([index, index[..., :1].expand(-1, -1, 3 - n)], dim=2)
    return index, squared


def _nearest_pairs(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return _squared(x, y).argmin(2), _squared(y, x).argmin(2)


def _farthest_point_sample(
    points: Tensor, first: Tensor, num_samples: int, near_origin: float
) -> Tensor:
    x, y, z = points.float().unbind(2)
    nearest = torch.where(x * x + y * y + z * z <= near_origin, -1.0, torch.inf)
    chosen = [first[:, None]]
    while len(chosen) < num_samples:
        dx, dy, dz = (c - c.gather(1, chosen[-1]) for c in (x, y, z))
        nearest = torch.minimum(nearest, dx * dx + dy * dy + dz * dz)
        chosen.append(nearest.argmax(1, keepdim=True))
    return torch.cat(chosen, dim=1)


def _edge_max_sum(features: Tensor, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    edges = group_torch(features, index)
    edges = edges.to(torch.promote_types(edges.dtype, torch.float32))
    place = edges.argmax(2)
    return edges.amax(2), index.gather(2, place), edges.sum(2)


def _edge_max_sum_backward(
    grad_max: Tensor, grad_sum: Tensor, argmax: Tensor, index: Tensor, num_points: int
) -> Tensor:
    wide = torch.promote_types(grad_max.dtype, torch.float32)
    total = _group_backward(
        grad_sum.to(wide)[:, :, None].expand(-1, -1, index.shape[2], -1), index, num_points
    )
    return total.scatter_add(1, argmax, grad_max.to(wide))


def _group_backward(grad: Tensor, index: Tensor, num_points: int) -> Tensor:
    batch, channels = index.shape[0], grad.shape[-1]
    flat = index.flatten(1) + torch.arange(batch, device=index.device)[:, None] * num_points
    total = grad.new_zeros(batch * num_points, channels).index_add(
        0, flat.flatten(), grad.reshape(-1, channels)
    )
    return total.view(batch, num_points, channels)


def _interpolate_backward(grad: Tensor, index: Tensor, weight: Tensor, num_points: int) -> Tensor:
    wide = grad.to(torch.promote_types(grad.dtype, torch.float32))
    return _group_backward(
        wide[:, :, None] * weight[..., None].to(wide.dtype), index, num_points
    ).to(grad.dtype)
