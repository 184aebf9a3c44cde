"""Earth mover's distance of two clouds of equal size."""

from torch import Tensor

from pcdet_kd.ops.chamfer_distance import pair_distance
from pcdet_kd.ops.emd_match import emd_match
from pcdet_kd.ops.group import group


def earth_mover_distance(x: Tensor, y: Tensor, reduction: str = 'mean', squared: bool = False, **match_args) -> Tensor:
    """Return (B,) the mean or sum of the distances of matched points."""
    d = pair_distance(x, group(y, emd_match(x, y, **match_args)), squared)
    return d.mean(1) if reduction == 'mean' else d.sum(1)
