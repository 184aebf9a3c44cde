"""Distances between point clouds as losses."""

from torch import Tensor, nn

from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES
from pcdet_kd.utils.arguments import check_choice


@LOSSES.register_module()
class EarthMoverLoss(nn.Module):
    """Earth mover's distance: the distance of matched points under a bijection, averaged over the
    batch (Fan et al., CVPR 2017; PointCMT, Yan et al., NeurIPS 2022).

    Which published numbers of PointCMT (NeurIPS 2022) belong to what:

    * the released code (94.6 % in its read-me): ``reduction='mean', normalize='released',
      solver='msn', eps=0.05, iterations=3000``. That matching is approximate: 2 to 9 % above the
      optimum on 1,024 points;
    * the paper (94.4 %, Eq. 4 and 5): ``reduction='sum'``, the defaults otherwise.

    With one weight, the two differ by the number of points. The released CUDA kernel sends no
    gradient to the second cloud; here both clouds get one. For a constant teacher that makes no
    difference.

    Args:
        reduction: ``'mean'`` or ``'sum'`` over the points of a cloud.
        normalize: None for raw coordinates, ``'centred'`` or ``'released'``: see
            :func:`.functional.scale_to_box`.
        solver: ``'auction'``: optimal to a millionth. ``'msn'``: the approximate auction of MSN
            (Liu et al., 2020) and PointCMT.
        eps: The auction's accuracy: for ``'auction'`` relative to the size of the clouds (None:
            2e-6), for ``'msn'`` in their unit (None: 0.05).
        iterations: Greatest number of rounds, for ``'msn'`` only (None: 3000).
        loss_weight: Factor.
    """

    def __init__(
        self,
        reduction: str = 'mean',
        normalize: str | None = None,
        solver: str = 'auction',
        eps: float | None = None,
        iterations: int | None = None,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_choice('reduction', reduction, ('mean', 'sum'))
        check_choice('normalize', normalize, (None, 'centred', 'released'))
        check_choice('solver', solver, ('auction', 'msn'))
        if solver == 'auction' and iterations is not None:
            raise ValueError(
                f"iterations={iterations} needs solver='msn': the 'auction' solver stops by itself"
            )
        self.reduction = reduction
        self.normalize = normalize
        self.match_args = {}
        if solver == 'msn':
            self.match_args = dict(
                compat='msn', iterations=3000 if iterations is None else iterations
            )
        if eps is not None:
            self.match_args['eps'] = eps
        self.loss_weight = loss_weight

    def forward(self, student_points: Tensor, teacher_points: Tensor) -> Tensor:
        """Return the weighted loss of clouds (B, N, 3) and (B, N, 3)."""
        return self.loss_weight * functional.earth_mover(
            student_points, teacher_points, self.reduction, self.normalize, **self.match_args
        )


@LOSSES.register_module()
class ChamferLoss(nn.Module):
    """Chamfer distance: mean distance to the nearest point of the other cloud, both ways added,
    averaged over the batch (Fan et al., CVPR 2017).

    Args:
        squared: Squared distances, or plain ones.
        loss_weight: Factor.
    """

    def __init__(self, squared: bool = True, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.squared = squared
        self.loss_weight = loss_weight

    def forward(self, student_points: Tensor, teacher_points: Tensor) -> Tensor:
        """Return the weighted loss of clouds (B, N, 3) and (B, M, 3)."""
        return self.loss_weight * functional.chamfer(student_points, teacher_points, self.squared)
