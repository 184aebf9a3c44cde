"""Distillation of features of the same width."""

from torch import Tensor, nn

from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES


@LOSSES.register_module()
class FeatureMSELoss(nn.Module):
    """Mean squared difference of the student's and the teacher's feature (FitNets, Romero et al.,
    2015).

    Both features need the same shape; where the widths differ, put a connector before the loss.

    Args:
        loss_weight: Factor.
    """

    same_width = True

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted mean over all elements."""
        return self.loss_weight * functional.feature_mse(student_feat, teacher_feat)
