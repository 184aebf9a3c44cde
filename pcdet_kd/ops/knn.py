"""k nearest neighbours, in space and in feature space."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_clouds, check_count


def knn(query: Tensor, points: Tensor, k: int) -> Tensor:
    """Find the k nearest points of each query.

    Args:
        query: (B, S, C) where to look from. C = 3 is space; any other C is a feature space.
        points: (B, N, C) the candidates. ``query`` may be the same tensor; then each point finds
            itself, at distance 0.
        k: 1 to N.

    Returns:
        (B, S, k) int64 indices into N, nearest first; among equal distances the lowest index comes
        first. No gradient: recompute the distances of the pairs where one is needed.

    Distances are computed in float32. In space they are sums of squared differences, so that every
    back end gives the same indices. In feature space they come from ``|a|^2 + |b|^2 - 2ab`` on
    centred features (a matrix product), whose rounding can swap neighbours that are equally far to
    about 1e-6 of the squared norms.

    Raises:
        ValueError: Wrong or unequal shapes, k > N, or values that are not finite.
    """
    check_clouds(('query', 'points'), query, points)
    check_count('k', k, points.shape[1], f'points {tuple(points.shape)}')
    return _knn(query.detach(), points.detach(), k)


def knn_torch(query: Tensor, points: Tensor, k: int) -> Tensor:
    """The same in plain torch, on any device, one cloud at a time to bound the memory."""
    distances = squared_distances if query.shape[2] == 3 else feature_distances
    index = torch.arange(points.shape[1], device=points.device)
    found = []
    for q, p in zip(query.detach(), points.detach()):
        # topk promises no order among equals, so make keys unique: the bits of a distance >= 0
        # order like an integer
        keys = (distances(q, p).view(torch.int32).long() << 32) | index
        found.append(keys.topk(k, dim=-1, largest=False, sorted=True).values & 0xFFFFFFFF)
    return torch.stack(found)


def squared_distances(query: Tensor, points: Tensor) -> Tensor:
    """Return the squared distances (S, N) of (S, 3) and (N, 3) in float32, summed as every kernel
    does: (x + y) + z.
    """
    q, p = query.float(), points.float()
    dx, dy, dz = (p[None, :, c] - q[:, c, None] for c in range(3))
    return dx * dx + dy * dy + dz * dz


def feature_distances(query: Tensor, points: Tensor) -> Tensor:
    """Return the squared distances (S, N) of (S, C) and (N, C) by a matrix product, never
    negative.
    """
    centre = points.float().mean(0)
    q, p = query.float() - centre, points.float() - centre
    with torch.autocast(q.device.type, enabled=False):
        d = torch.addmm((p * p).sum(1), q, p.t(), alpha=-2) + (q * q).sum(1, keepdim=True)
    return d.clamp_min_(0) + 0.0  # + 0 turns -0, whose bits are not those of 0, into 0


_knn = backend.define(
    knn_torch,
    lambda query, points, k: query.new_empty(*query.shape[:2], k, dtype=torch.int64),
)
