"""Distillation of features by a Gaussian with a learned variance."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.losses.functional import check_same, full_precision
from pcdet_kd.registry import LOSSES


@full_precision
def gaussian_regression(student_feat: Tensor, teacher_feat: Tensor, variance: Tensor) -> Tensor:
    r"""Return the mean of :math:`\frac12 \big((\mu - f_T)^2 / \sigma^2 + \log \sigma^2\big)`, the
    negative logarithm of a Gaussian, without its constant.

    Args:
        student_feat: (B, D) :math:`\mu`, what the connector makes of the student's feature.
        teacher_feat: (B, D) :math:`f_T`, without gradient.
        variance: (D,) :math:`\sigma^2 > 0`, one per channel.

    Returns:
        A scalar.
    """
    check_same(('student_feat', 'teacher_feat'), student_feat, teacher_feat)
    error = (student_feat - teacher_feat.detach()).square()
    return (error / variance + variance.log()).mean() / 2


@LOSSES.register_module()
class VariationalLoss(nn.Module):
    r"""Variational information distillation, VID (Ahn et al., CVPR 2019), see
    :func:`gaussian_regression`.

    The variances :math:`\sigma^2 = softplus(a) + \epsilon` are trained with the student: ``a`` is a
    parameter, in the optimiser and in the checkpoint, and not in the exported student.

    Args:
        channels: D of the teacher's feature.
        init_variance: First value of all variances.
        eps: Least variance.
        loss_weight: Factor.
    """

    same_width = True

    def __init__(
        self,
        channels: int,
        init_variance: float = 5.0,
        eps: float = 1e-5,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not init_variance > eps > 0:
            raise ValueError(
                f'init_variance is {init_variance} and eps is {eps}, expected init_variance > eps '
                '> 0'
            )
        self.channels = channels
        self.eps = eps
        self.raw_variance = nn.Parameter(
            torch.full((channels,), math.log(math.expm1(init_variance - eps)))
        )
        self.loss_weight = loss_weight

    @property
    def variance(self) -> Tensor:
        """The variances (channels,), float32."""
        return F.softplus(self.raw_variance.float()) + self.eps

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted loss of features (B, D) and (B, D)."""
        return self.loss_weight * gaussian_regression(student_feat, teacher_feat, self.variance)
