"""Inheritance and exploration: one half of the student's feature is like the teacher's, the other
half is unlike it.
"""

from torch import Tensor, nn

from pcdet_kd.losses.functional import check_same, full_precision, unit
from pcdet_kd.registry import LOSSES


@full_precision
def factor_distance(student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
    r"""Return the mean over all elements of :math:`|a / \|a\| - b / \|b\||` (IE-KD with p = 1;
    Huang et al., CVPR 2021).

    Args:
        student_feat: (B, ...) a, a factor of the student's feature, flattened per sample.
        teacher_feat: (B, ...) b, the factor of the teacher's feature, without gradient.

    Returns:
        A scalar.
    """
    check_same(('student_feat', 'teacher_feat'), student_feat, teacher_feat)
    student, teacher = (unit(f.flatten(1)) for f in (student_feat, teacher_feat.detach()))
    return (student - teacher).abs().mean()


@LOSSES.register_module()
class InheritanceLoss(nn.Module):
    """Distance of two factors (IE-KD, Huang et al., CVPR 2021), see :func:`factor_distance`.

    Args:
        loss_weight: Factor. The released configuration has 1, the same code's plain factor transfer
            500; the paper's value was not found.
    """

    same_width = True

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted distance of factors (B, D) and (B, D)."""
        return self.loss_weight * factor_distance(student_feat, teacher_feat)


@LOSSES.register_module()
class ExplorationLoss(InheritanceLoss):
    """Minus the distance of two factors (IE-KD, Huang et al., CVPR 2021): it drives them apart, and
    is below 0.

    Args:
        loss_weight: Factor, 1 in the released configuration.
    """

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return minus the weighted distance of factors (B, D) and (B, D)."""
        return -super().forward(student_feat, teacher_feat)
