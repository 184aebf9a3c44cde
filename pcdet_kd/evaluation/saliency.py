r"""How much each point speaks for a class (Zheng et al., PointCloud Saliency Maps, ICCV 2019)."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def radial_saliency(points: Tensor, gradient: Tensor, alpha: float = 1.0) -> Tensor:
    r"""Return what the loss would gain, to first order, if a point were moved to the middle.

    Points of a surface tell the class, points at the middle of a cloud do not, so that moving a
    point there stands for dropping it. With the median :math:`c` of the coordinates,
    :math:`r_i = \|x_i - c\|` and :math:`\rho = r^{-\alpha}` as the variable along the radius, the
    saliency is

    .. math:: s_i = -\frac{\partial L}{\partial r_i} r_i^{1 + \alpha}
        = -\left(\nabla_{x_i} L \cdot (x_i - c)\right) r_i^\alpha

    (equations 4 to 6 of the paper). Points above zero speak for the class that the loss is of,
    points below zero against it.

    Args:
        points: (B, N, 3).
        gradient: (B, N, 3), of the loss with respect to the points.
        alpha: Weight of far points; 1 in the paper.

    Returns:
        (B, N).
    """
    offset = points - torch.quantile(points, 0.5, dim=1, keepdim=True)
    return -(gradient * offset).sum(dim=2) * offset.norm(dim=2) ** alpha


def point_saliency(
    model: nn.Module, inputs: Mapping[str, Tensor], labels: Tensor, alpha: float = 1.0
) -> Tensor:
    """Return the saliency of each point for a class.

    Args:
        model: A :class:`~pcdet_kd.models.PointClassifier` of points, in eval mode.
        inputs: With ``points`` (B, N, C), xyz first; other columns are held fixed.
        labels: (B,) int64 classes; the loss is their cross-entropy.
        alpha: See :func:`radial_saliency`.

    Returns:
        (B, N).
    """
    with torch.enable_grad():
        points = inputs['points'].detach().requires_grad_()
        _, out = model.extract({**inputs, 'points': points})
        loss = F.cross_entropy(out.logits, labels, reduction='sum')
        (gradient,) = torch.autograd.grad(loss, points)
    return radial_saliency(points.detach()[..., :3], gradient[..., :3], alpha)
