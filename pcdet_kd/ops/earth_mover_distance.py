"""Earth mover's distance of two clouds of equal size."""

from torch import Tensor

from pcdet_kd.ops.chamfer_distance import pair_distance
from pcdet_kd.ops.emd_match import emd_match
from pcdet_kd.ops.group import group
from pcdet_kd.utils.arguments import check_choice


def earth_mover_distance(
    x: Tensor,
    y: Tensor,
    reduction: str = 'mean',
    squared: bool = False,
    eps: float | None = None,
    compat: str | None = None,
    iterations: int | None = None,
    exact: bool = False,
) -> Tensor:
    """Return the distance of two clouds under the bijection that makes it least.

    Args:
        x: (B, N, 3) clouds.
        y: (B, N, 3) clouds with as many points.
        reduction: ``'mean'`` or ``'sum'`` over the pairs.
        squared: Return squared distances of the pairs. The bijection is always the one for plain
            distances, as in PointCMT.
        eps: As in :func:`emd_match`, as are the next two.
        compat: ``'msn'`` for PointCMT's approximate bijection.
        iterations: With ``compat`` only.
        exact: As in :func:`emd_match`.

    Returns:
        (B,) distances, plain ones as sqrt(d^2 + 1e-12), so that the slope stays finite where a pair
        coincides. Gradients reach both clouds, through the pairs; the bijection is a constant.

    Raises:
        ValueError: As :func:`emd_match`.
    """
    check_choice('reduction', reduction, ('mean', 'sum'))
    match = emd_match(x, y, eps=eps, compat=compat, iterations=iterations, exact=exact)
    distances = pair_distance(x, group(y, match), squared)
    return distances.sum(1) if reduction == 'sum' else distances.mean(1)
