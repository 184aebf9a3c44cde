"""Chamfer distance."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_clouds
from pcdet_kd.ops.group import group
from pcdet_kd.ops.knn import squared_distances

TINY = 1e-12  # under a square root, so that its slope stays finite where two points coincide


def chamfer_distance(
    x: Tensor,
    y: Tensor,
    squared: bool = True,
) -> Tensor:
    """Return the mean distance of each x to its nearest y, plus that of each y to its nearest x.

    The nearest points are found without a graph; the distances of the pairs are then exact and cost
    O(N + M) memory.

    Args:
        x: (B, N, 3) clouds.
        y: (B, M, 3) clouds; M may differ from N.
        squared: Squared distances, or sqrt(d^2 + 1e-12).

    Returns:
        (B,) distances, with gradients to both clouds. On ties the pair with the lowest index is
        taken.

    Raises:
        ValueError: Wrong or unequal shapes, or values that are not finite.
    """
    check_clouds(('x', 'y'), x, y, channels=3)
    nearest_y, nearest_x = _nearest_pairs(x.detach(), y.detach())
    to_y, to_x = (
        pair_distance(x, group(y, nearest_y), squared),
        pair_distance(y, group(x, nearest_x), squared),
    )
    return to_y.mean(1) + to_x.mean(1)


def pair_distance(a: Tensor, b: Tensor, squared: bool) -> Tensor:
    """Return the distances (B, N) of row i of ``a`` and row i of ``b``: squared, or sqrt(d^2 +
    1e-12).
    """
    d2 = (a - b).square().sum(-1)
    return d2 if squared else (d2 + TINY).sqrt()


def nearest_pairs_torch(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the index of the nearest y of each x (B, N), and of the nearest x of each y (B, M), on
    any device.

    The lowest index wins on ties.
    """
    to_y, to_x = [], []
    for p, q in zip(x.detach(), y.detach()):
        d = squared_distances(p, q)
        to_y.append(d.argmin(1))
        to_x.append(d.argmin(0))
    return torch.stack(to_y), torch.stack(to_x)


_nearest_pairs = backend.define(
    nearest_pairs_torch,
    lambda x, y: tuple(x.new_empty(cloud.shape[:2], dtype=torch.int64) for cloud in (x, y)),
)
