"""Chamfer distance."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_batch, check_cloud, check_lengths
from pcdet_kd.ops.group import group
from pcdet_kd.ops.knn import squared_distances

TINY = 1e-12  # under a square root, so that its slope stays finite where two points coincide


def chamfer_distance(
    x: Tensor,
    y: Tensor,
    squared: bool = True,
    x_lengths: Tensor | None = None,
    y_lengths: Tensor | None = None,
) -> Tensor:
    """Return the mean distance of each x to its nearest y, plus that of each y to its nearest x.

    The nearest points are found without a graph; the distances of the pairs are then exact and cost
    O(N + M) memory.

    Args:
        x: (B, N, 3) clouds.
        y: (B, M, 3) clouds; M may differ from N.
        squared: Squared distances, or sqrt(d^2 + 1e-12).
        x_lengths: (B,) int64: only the first ``x_lengths[b]`` of ``x[b]`` exist; the others count
            nowhere and get no gradient.
        y_lengths: The same for y.

    Returns:
        (B,) distances, with gradients to both clouds. On ties the pair with the lowest index is
        taken.

    Raises:
        ValueError: Wrong or unequal shapes, or values that are not finite.
    """
    check_cloud('x', x, channels=3)
    check_cloud('y', y, channels=3)
    check_batch(('x', 'y'), x, y)
    check_lengths('x_lengths', x_lengths, x)
    check_lengths('y_lengths', y_lengths, y)
    nearest_y, nearest_x = _nearest_pairs(x.detach(), y.detach(), x_lengths, y_lengths)
    to_y, to_x = (
        pair_distance(x, group(y, nearest_y), squared),
        pair_distance(y, group(x, nearest_x), squared),
    )
    return _mean(to_y, x_lengths) + _mean(to_x, y_lengths)


def _mean(distances: Tensor, lengths: Tensor | None) -> Tensor:
    if lengths is None:
        return distances.mean(1)
    absent = torch.arange(distances.shape[1], device=distances.device) >= lengths[:, None]
    return distances.masked_fill(absent, 0).sum(1) / lengths


def pair_distance(a: Tensor, b: Tensor, squared: bool) -> Tensor:
    """Return the distances (B, N) of row i of ``a`` and row i of ``b``: squared, or sqrt(d^2 +
    1e-12).
    """
    d2 = (a - b).square().sum(-1)
    return d2 if squared else (d2 + TINY).sqrt()


@torch.library.custom_op('pcdet_kd::nearest_pairs', mutates_args=())
def _nearest_pairs(
    x: Tensor, y: Tensor, x_lengths: Tensor | None, y_lengths: Tensor | None
) -> tuple[Tensor, Tensor]:
    return backend.run('nearest_pairs', x, y, x_lengths, y_lengths)


@_nearest_pairs.register_fake
def _(
    x: Tensor, y: Tensor, x_lengths: Tensor | None, y_lengths: Tensor | None
) -> tuple[Tensor, Tensor]:
    return tuple(x.new_empty(cloud.shape[:2], dtype=torch.int64) for cloud in (x, y))


def nearest_pairs_torch(
    x: Tensor, y: Tensor, x_lengths: Tensor | None, y_lengths: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return the index of the nearest y of each x (B, N), and of the nearest x of each y (B, M), on
    any device.

    The lowest index wins on ties. Points past the lengths are nobody's nearest; what is nearest to
    them has no meaning.
    """
    to_y, to_x = [], []
    for b, (p, q) in enumerate(zip(x.detach(), y.detach())):
        d = squared_distances(p, q)
        n, m = (
            len(c) if lengths is None else int(lengths[b])
            for c, lengths in ((p, x_lengths), (q, y_lengths))
        )
        to_y.append(d[:, :m].argmin(1))
        to_x.append(d[:n].argmin(0))
    return torch.stack(to_y), torch.stack(to_x)
