"""PointMixup: the straight line between two clouds, point by matched point."""

import numpy as np
import torch
from torch import Tensor

from pcdet_kd.models.batch_augments.base import BatchAugment, beta_parameter, take
from pcdet_kd.ops import emd_match
from pcdet_kd.registry import BATCH_AUGMENTS


@BATCH_AUGMENTS.register_module()
class PointMixup(BatchAugment):
    r"""Interpolate clouds along the optimal assignment (Chen et al., ECCV 2020).

    :math:`x_i' = (1 - \lambda) x_i + \lambda y_{\phi(i)}`, with :math:`\phi` the bijection of least
    total distance and :math:`\lambda = 1/2 - |Beta(\alpha, \alpha) - 1/2|`, drawn for each sample;
    the label is mixed alike. No sample's own share is thus below a half. All columns are
    interpolated, features behind xyz too; interpolated normals are not of unit length.

    The released code mixes every batch, draws :math:`\alpha = 0.4` for clouds that are turned at
    random about the up axis and 1.0 for others, and in the former case first aligns the clouds'
    planes of symmetry, which is not done here. Its matching is MSN's auction, which may use a point
    twice; here it is a bijection.

    Args:
        alpha: Of the beta distribution: 0.4 as in the paper and in ModelNet40-C's benchmark.
        eps: Accuracy of the matching, see :func:`pcdet_kd.ops.emd_match`.
    """

    def __init__(self, alpha: float = 0.4, eps: float = 5e-3) -> None:
        self.alpha = beta_parameter('alpha', alpha)
        self.eps = eps

    def mix(
        self, points: Tensor, others: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        share = 0.5 - np.abs(rng.beta(self.alpha, self.alpha, len(points)) - 0.5)
        share = torch.from_numpy(share).to(points.device, points.dtype)
        matched = take(others, emd_match(points[..., :3], others[..., :3], eps=self.eps))
        return torch.lerp(points, matched, share[:, None, None]), share
