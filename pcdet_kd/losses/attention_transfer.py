"""Distillation of where a network is active."""

from torch import Tensor, nn

from pcdet_kd.losses.functional import full_precision, unit
from pcdet_kd.registry import LOSSES


@full_precision
def attention_transfer(student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
    r"""Return the mean over batch and places of :math:`(\hat A_S - \hat A_T)^2`, where :math:`A =
    mean_c\,f_c^2` (B, M) and :math:`\hat A = A / \|A\|` (AT; Zagoruyko and Komodakis, ICLR 2017,
    p = 2).

    Args:
        student_feat: (B, C, M, ...) a map: C channels at M places.
        teacher_feat: (B, C', M, ...) a map on the same places, without gradient.

    Returns:
        A scalar.
    """
    student, teacher = student_feat.shape, teacher_feat.shape
    if len(student) < 3 or student[0] != teacher[0] or student[2:] != teacher[2:]:
        raise ValueError(
            f"the student's map is {tuple(student)} and the teacher's {tuple(teacher)}, expected "
            "(B, C, M) and (B, C', M): attention transfer needs maps at the same places"
        )
    maps = (f.square().mean(1).flatten(1) for f in (student_feat, teacher_feat.detach()))
    a, b = (unit(map_) for map_ in maps)
    return (a - b).square().mean()


@LOSSES.register_module()
class AttentionTransferLoss(nn.Module):
    """Attention transfer, AT (Zagoruyko and Komodakis, ICLR 2017), see :func:`attention_transfer`.

    Args:
        loss_weight: Factor; 1000, as in the collections RepDistiller and mdistiller.
    """

    def __init__(self, loss_weight: float = 1000.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted loss of maps (B, C, M) and (B, C', M)."""
        return self.loss_weight * attention_transfer(student_feat, teacher_feat)
