"""Distance of two clouds whose points correspond by their numbers."""

from torch import Tensor, nn

from pcdet_kd.losses.functional import feature_mse
from pcdet_kd.registry import LOSSES


@LOSSES.register_module()
class PointL2Loss(nn.Module):
    """Squared distance of the i-th points of two clouds, averaged over points and batch.

    In place of the earth mover's distance in stage III of PointCMT: both clouds come from one
    generator there, which puts the i-th point of all clouds at the same part. Scans have no such
    order, so that stage II can't use it.

    Args:
        loss_weight: Factor.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_points: Tensor, teacher_points: Tensor) -> Tensor:
        """Return the weighted loss of clouds (B, N, 3) and (B, N, 3)."""
        return self.loss_weight * 3 * feature_mse(student_points, teacher_points)
