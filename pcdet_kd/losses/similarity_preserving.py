"""Distillation of the similarities of the samples of a batch."""

from torch import Tensor, nn

from pcdet_kd.losses.functional import check_features, full_precision, unit
from pcdet_kd.registry import LOSSES


@full_precision
def similarity_preserving(student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
    r"""Return :math:`\|\tilde G_S - \tilde G_T\|_F^2 / B^2`, where :math:`\tilde G` is :math:`G =
    F F^\top` (B, B) with each row divided by its length (SP; Tung and Mori, ICCV 2019).

    Args:
        student_feat: (B, D).
        teacher_feat: (B, D'), without gradient.

    Returns:
        A scalar.
    """
    check_features(student_feat, teacher_feat)
    student, teacher = (unit(f @ f.t()) for f in (student_feat, teacher_feat.detach()))
    return (student - teacher).square().mean()


@LOSSES.register_module()
class SimilarityPreservingLoss(nn.Module):
    """Similarity-preserving distillation, SP (Tung and Mori, ICCV 2019), see
    :func:`similarity_preserving`.

    The widths of the features may differ. In distributed training the batch is that of one process.

    Args:
        loss_weight: Factor; the authors' 3000.
    """

    same_width = False

    def __init__(self, loss_weight: float = 3000.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted loss of features (B, D) and (B, D')."""
        return self.loss_weight * similarity_preserving(student_feat, teacher_feat)
