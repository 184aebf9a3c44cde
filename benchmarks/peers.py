"""Public algorithms in the plain form that most point-cloud code uses: the ops are compared with
them.

Each function is written from the description of the algorithm and keeps the form (matrix distances,
sorts, masks, advanced indexing) that determines its cost; arguments are (batch, points, channels)
throughout. Where the public code starts at a random point, the start is an argument here, so that
results can be compared.
"""

import torch
from torch import Tensor


def square_distance(a: Tensor, b: Tensor) -> Tensor:
    """|a|^2 + |b|^2 - 2ab for all pairs: (B, S, C), (B, N, C) -> (B, S, N)."""
    product = torch.matmul(a, b.transpose(1, 2))
    return -2 * product + (a**2).sum(-1)[:, :, None] + (b**2).sum(-1)[:, None, :]


def index_points(features: Tensor, index: Tensor) -> Tensor:
    """Gather rows with advanced indexing: (B, N, C), (B, ...) -> (B, ..., C)."""
    rows = (
        torch.arange(len(features), device=features.device)
        .view(-1, *[1] * (index.dim() - 1))
        .expand_as(index)
    )
    return features[rows, index]


def farthest_point_sample(
    points: Tensor, num_samples: int, start: int = 0, skip: float | None = None
) -> Tensor:
    """Farthest point sampling in a Python loop with a masked update (the PyTorch ports of
    PointNet++, PointMLP).

    Given ``skip``, points with a squared norm up to it are not chosen, apart from the start (the
    pointnet2 CUDA extension).
    """
    batch, n, _ = points.shape
    chosen = torch.zeros(batch, num_samples, dtype=torch.long, device=points.device)
    distance = torch.full((batch, n), 1e10, dtype=points.dtype, device=points.device)
    if skip is not None:
        distance[(points**2).sum(-1) <= skip] = -1
    farthest = torch.full((batch,), start, dtype=torch.long, device=points.device)
    rows = torch.arange(batch, device=points.device)
    for i in range(num_samples):
        chosen[:, i] = farthest
        centre = points[rows, farthest, :].view(batch, 1, 3)
        d = ((points - centre) ** 2).sum(-1)
        nearer = d < distance
        distance[nearer] = d[nearer]
        farthest = distance.max(-1)[1]
    return chosen


def ball_query(
    query: Tensor, points: Tensor, radius: float, k: int, strict: bool = False
) -> Tensor:
    """Ball query by a sort of all indices, with those outside the ball set to N (the PyTorch ports
    of PointNet++).

    ``strict``: points on the sphere are outside (the pointnet2 CUDA extension).
    """
    batch, n, _ = points.shape
    index = torch.arange(n, device=points.device).view(1, 1, n).repeat(batch, query.shape[1], 1)
    square = square_distance(query, points)
    index[square >= radius**2 if strict else square > radius**2] = n
    index = index.sort(dim=-1)[0][:, :, :k]
    first = index[:, :, :1].repeat(1, 1, k)
    outside = index == n
    index[outside] = first[outside]
    return index


def knn_dgcnn(points: Tensor, k: int) -> Tensor:
    """DGCNN's nearest neighbours: the negated matrix of squared distances of a channel-first cloud,
    and topk.
    """
    x = points.transpose(2, 1)
    inner = -2 * torch.matmul(x.transpose(2, 1), x)
    square = (x**2).sum(1, keepdim=True)
    return (-square - inner - square.transpose(2, 1)).topk(k=k, dim=-1)[1]


def knn_bmm(query: Tensor, points: Tensor, k: int) -> Tensor:
    """One fused batched product for the distances, and topk of the smallest."""
    norm = points.square().sum(-1)[:, None, :].expand(-1, query.shape[1], -1)
    return torch.baddbmm(norm, query, points.transpose(1, 2), alpha=-2).topk(
        k, dim=-1, largest=False
    )[1]


def three_interpolate(query: Tensor, points: Tensor, features: Tensor) -> Tensor:
    """Inverse-distance interpolation from three neighbours found by a full sort (the PyTorch ports
    of PointNet++).
    """
    distance, index = square_distance(query, points).sort(dim=-1)
    weight = 1.0 / (distance[:, :, :3] + 1e-8)
    weight = weight / weight.sum(dim=2, keepdim=True)
    return (index_points(features, index[:, :, :3]) * weight[..., None]).sum(dim=2)


def chamfer_distance(x: Tensor, y: Tensor) -> Tensor:
    """Chamfer distance (B,) through the full matrix of squared distances, with its graph."""
    distance = square_distance(x, y)
    return distance.min(2)[0].mean(1) + distance.min(1)[0].mean(1)


def edge_features(points: Tensor, index: Tensor) -> Tensor:
    """DGCNN's edge tensor [x_j - x_i, x_i]: (B, N, C), (B, N, k) -> channel-first (B, 2C, N, k)."""
    batch, n, channels = points.shape
    k = index.shape[2]
    flat = (index + torch.arange(batch, device=points.device).view(-1, 1, 1) * n).view(-1)
    neighbours = points.reshape(batch * n, -1)[flat, :].view(batch, n, k, channels)
    centre = points.view(batch, n, 1, channels).repeat(1, 1, k, 1)
    return torch.cat((neighbours - centre, centre), dim=3).permute(0, 3, 1, 2).contiguous()
