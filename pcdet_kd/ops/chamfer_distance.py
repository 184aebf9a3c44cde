"""Chamfer distance."""

from torch import Tensor

from pcdet_kd.ops.checks import check_batch, check_cloud
from pcdet_kd.ops.group import group
from pcdet_kd.ops.knn import knn

TINY = 1e-12  # under a square root, so that its slope stays finite where two points coincide


def chamfer_distance(x: Tensor, y: Tensor, squared: bool = True) -> Tensor:
    """Return the mean distance of each x to its nearest y, plus that of each y to its nearest x.

    The nearest points are found without a graph; the distances of the pairs are then exact and cost O(N + M) memory.

    Args:
        x: (B, N, 3) clouds.
        y: (B, M, 3) clouds; M may differ from N.
        squared: Squared distances, or sqrt(d^2 + 1e-12).

    Returns:
        (B,) distances, with gradients to both clouds. On ties the pair with the lowest index is taken.

    Raises:
        ValueError: Wrong or unequal shapes, or values that are not finite.
    """
    check_cloud('x', x, channels=3)
    check_cloud('y', y, channels=3)
    check_batch(('x', 'y'), x, y)
    to_y = pair_distance(x, group(y, knn(x, y, 1)[..., 0]), squared)
    to_x = pair_distance(y, group(x, knn(y, x, 1)[..., 0]), squared)
    return to_y.mean(1) + to_x.mean(1)


def pair_distance(a: Tensor, b: Tensor, squared: bool) -> Tensor:
    """Return the distances (B, N) of row i of ``a`` and row i of ``b``: squared, or sqrt(d^2 + 1e-12)."""
    d2 = (a - b).square().sum(-1)
    return d2 if squared else (d2 + TINY).sqrt()
