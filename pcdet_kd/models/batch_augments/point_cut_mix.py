"""PointCutMix: some points of a cloud make room for their counterparts in another."""

import numpy as np
import torch
from torch import Tensor

from pcdet_kd.models.batch_augments.base import (
    BatchAugment,
    beta_parameter,
    random_floats,
    random_index,
    squared_distance_to,
    take,
)
from pcdet_kd.ops import emd_match
from pcdet_kd.registry import BATCH_AUGMENTS
from pcdet_kd.utils.arguments import check_choice


@BATCH_AUGMENTS.register_module()
class PointCutMix(BatchAugment):
    r"""Replace points by their counterparts in another cloud (Zhang et al., 2021).

    With :math:`\lambda \sim Beta(\beta, \beta)`, one for the batch, :math:`n = \max(1, \lfloor
    \lambda N \rfloor)` points :math:`x_i` become :math:`y_{\phi(i)}`, with :math:`\phi` the
    bijection of least total distance; the partner's share of the label is n/N. Which points:
    ``'R'``: a random subset; ``'K'``: those nearest to a random point of x.

    The released code draws one subset of positions for all clouds of a batch in R; here each cloud
    has its own. It applies the method to half of the batches (``probs=0.5`` of
    :class:`RandomBatchAugment`), after scaling and shifting.

    Args:
        variant: ``'R'`` or ``'K'``.
        beta: Of the beta distribution.
        eps: Accuracy of the matching, see :func:`pcdet_kd.ops.emd_match`.
    """

    def __init__(self, variant: str = 'R', beta: float = 1.0, eps: float = 5e-3) -> None:
        check_choice('variant', variant, ('R', 'K'))
        self.variant = variant
        self.beta = beta_parameter('beta', beta)
        self.eps = eps

    def mix(
        self, points: Tensor, others: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        batch, num_points = points.shape[:2]
        count = max(1, int(num_points * rng.beta(self.beta, self.beta)))
        if self.variant == 'R':
            key = random_floats(rng, points, batch, num_points)
        else:
            key = squared_distance_to(points, random_index(rng, points))
        chosen = key.argsort(dim=1, stable=True)[:, :count]
        replaced = torch.zeros_like(key, dtype=torch.bool).scatter_(1, chosen, True)
        matched = take(others, emd_match(points[..., :3], others[..., :3], eps=self.eps))
        return matched.where(replaced[..., None], points), points.new_full(
            (batch,), count / num_points
        )
