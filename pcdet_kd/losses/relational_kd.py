"""Distillation of distances and angles between the samples of a batch."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.losses.functional import check_features, full_precision
from pcdet_kd.registry import LOSSES


@full_precision
def relational_distance(student_feat: Tensor, teacher_feat: Tensor, eps: float = 1e-12) -> Tensor:
    r"""Return the mean over all pairs (i, j) of :math:`smooth\,L_1(\psi_{ij}^S - \psi_{ij}^T)`,
    where :math:`\psi_{ij} = \|f_i - f_j\| / \mu` and :math:`\mu` is the mean of the distances that
    are not 0, in student and teacher each (RKD-D; Park et al., CVPR 2019).

    Args:
        student_feat: (B, D), B > 1.
        teacher_feat: (B, D'), without gradient.
        eps: Least squared distance of two samples.

    Returns:
        A scalar, O(B² D).
    """
    check_features(student_feat, teacher_feat, least=2)
    student, teacher = (_distances(f, eps) for f in (student_feat, teacher_feat.detach()))
    return F.smooth_l1_loss(student, teacher)


@full_precision
def relational_angle(student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
    r"""Return the mean over all triplets (i, j, k) of :math:`smooth\,L_1(c_{ijk}^S - c_{ijk}^T)`,
    where :math:`c_{ijk}` is the cosine of the angle at i between the directions to j and to k
    (RKD-A; Park et al., CVPR 2019). Where two of the three coincide it is 0.

    Args:
        student_feat: (B, D), B > 1.
        teacher_feat: (B, D'), without gradient.

    Returns:
        A scalar, O(B³ + B² D).
    """
    check_features(student_feat, teacher_feat, least=2)
    student, teacher = (_cosines(f) for f in (student_feat, teacher_feat.detach()))
    return F.smooth_l1_loss(student, teacher)


def _distances(feat: Tensor, eps: float) -> Tensor:
    others = ~torch.eye(len(feat), dtype=torch.bool, device=feat.device)
    # not by matrix products, which lose close pairs; a distance that is clamped has no gradient
    distance = torch.cdist(feat, feat, compute_mode='donot_use_mm_for_euclid_dist')
    distance = distance.clamp_min(eps**0.5) * others
    return distance / distance[others].mean()


def _cosines(feat: Tensor) -> Tensor:
    to = feat[None] - feat[:, None]  # (B, B, D): from i to j
    dots = to @ to.transpose(1, 2)
    square = dots.diagonal(dim1=1, dim2=2)
    apart = square > 1e-24
    length = torch.where(apart, square, 1).sqrt()
    both = apart[:, :, None] & apart[:, None, :]
    return torch.where(both, dots, 0) / (length[:, :, None] * length[:, None, :])


@LOSSES.register_module()
class RelationalKDLoss(nn.Module):
    """Relational distillation, RKD (Park et al., CVPR 2019): distances and angles in the batch, see
    :func:`relational_distance` and :func:`relational_angle`.

    The widths of the features may differ. In distributed training relations are those within the
    batch of one process.

    Args:
        distance_weight: Weight of the distances; 0 leaves them out.
        angle_weight: Weight of the angles; 0 leaves them out.
        loss_weight: Factor of both.
    """

    same_width = False

    def __init__(
        self, distance_weight: float = 25.0, angle_weight: float = 50.0, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        if not (distance_weight or angle_weight):
            raise ValueError('RelationalKDLoss: distance_weight and angle_weight are both 0')
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted loss of features (B, D) and (B, D')."""
        value = 0.0
        if self.distance_weight:
            value = self.distance_weight * relational_distance(student_feat, teacher_feat)
        if self.angle_weight:
            value = value + self.angle_weight * relational_angle(student_feat, teacher_feat)
        return self.loss_weight * value
