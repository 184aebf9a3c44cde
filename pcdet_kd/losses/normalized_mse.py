"""Distillation of features of two modalities, brought to the student's scale first."""

import torch
from torch import Tensor, nn

from pcdet_kd.losses.functional import check_same, feature_mse, full_precision
from pcdet_kd.registry import LOSSES
from pcdet_kd.utils.arguments import check_choice

VARIANTS = ('none', 'I', 'II')


@full_precision
def to_scale_of(student_feat: Tensor, teacher_feat: Tensor, variant: str) -> Tensor:
    r"""Bring the teacher's features to the scale of the student's (PointCMT, appendix B.1).

    * Normalize-I: :math:`\hat f_T = (f_T - mean(f_T)) / std(f_T) \cdot std(f_S) + mean(f_S)`, with
      the statistics of each channel over the batch. A channel in which the teacher is constant gets
      the student's mean.
    * Normalize-II: :math:`\hat f_T = f_T / mean_i\|f_{T,i}\| \cdot mean_i\|f_{S,i}\|`.

    No gradient reaches the student through its statistics: the paper does not say, and otherwise
    the loss would fall when the features shrink.

    Args:
        student_feat: (B, D).
        teacher_feat: (B, D).
        variant: ``'I'``, ``'II'``, or ``'none'``, which returns the teacher's features.

    Returns:
        (B, D), without gradient.
    """
    check_same(('student_feat', 'teacher_feat'), student_feat, teacher_feat)
    student, teacher = student_feat.detach(), teacher_feat.detach()
    if variant == 'none':
        return teacher
    if variant == 'II':
        lengths = [feat.norm(dim=1).mean() for feat in (teacher, student)]
        return teacher * (lengths[1] / torch.where(lengths[0] > 0, lengths[0], 1))
    (of, centre), (to, new_centre) = (
        torch.std_mean(feat, dim=0, correction=0) for feat in (teacher, student)
    )
    return (teacher - centre) / torch.where(of > 0, of, 1) * to + new_centre


@LOSSES.register_module()
class NormalizedMSELoss(nn.Module):
    """Mean squared difference of the student's feature and the teacher's, brought to the student's
    scale (PointCMT's appendix, Yan et al., NeurIPS 2022: the rows Normalize-I and Normalize-II),
    see :func:`to_scale_of`.

    Args:
        variant: ``'I'``, ``'II'``, or ``'none'`` (the appendix's row without normalisation).
        loss_weight: Factor; the paper does not state it.
    """

    same_width = True

    def __init__(self, variant: str = 'I', loss_weight: float = 1.0) -> None:
        super().__init__()
        check_choice('variant', variant, VARIANTS)
        self.variant = variant
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted mean over all elements of features (B, D) and (B, D)."""
        scaled = to_scale_of(student_feat, teacher_feat, self.variant)
        return self.loss_weight * feature_mse(student_feat, scaled)
