"""Distillation of the probabilities that samples of a batch are neighbours."""

from torch import Tensor, nn

from pcdet_kd.losses.functional import check_features, full_precision, unit
from pcdet_kd.registry import LOSSES


@full_precision
def probabilistic_transfer(student_feat: Tensor, teacher_feat: Tensor, eps: float = 1e-7) -> Tensor:
    r"""Return the mean over all (i, j) of :math:`p^T_{ij} \log(p^T_{ij} / p^S_{ij})`, where
    :math:`p_{ij} = k_{ij} / \sum_j k_{ij}` and :math:`k_{ij} = (\cos(f_i, f_j) + 1) / 2` (PKT;
    Passalis and Tefas, ECCV 2018).

    Args:
        student_feat: (B, D).
        teacher_feat: (B, D'), without gradient.
        eps: Added to both probabilities below the logarithm.

    Returns:
        A scalar.
    """
    check_features(student_feat, teacher_feat)
    student, teacher = (_neighbours(f) for f in (student_feat, teacher_feat.detach()))
    return (teacher * ((teacher + eps) / (student + eps)).log()).mean()


def _neighbours(feat: Tensor) -> Tensor:
    directions = unit(feat)
    kernel = (directions @ directions.t() + 1) / 2
    return kernel / kernel.sum(1, keepdim=True)


@LOSSES.register_module()
class ProbabilisticTransferLoss(nn.Module):
    """Probabilistic knowledge transfer, PKT (Passalis and Tefas, ECCV 2018), see
    :func:`probabilistic_transfer`.

    The widths of the features may differ. In distributed training the batch is that of one process.

    Args:
        loss_weight: Factor; 30000, as in the collections RepDistiller and mdistiller.
    """

    same_width = False

    def __init__(self, loss_weight: float = 30000.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted loss of features (B, D) and (B, D')."""
        return self.loss_weight * probabilistic_transfer(student_feat, teacher_feat)
