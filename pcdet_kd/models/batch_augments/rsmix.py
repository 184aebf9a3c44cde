"""RSMix: a rigid piece of one cloud takes the place of a piece of another."""

import math

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
from pcdet_kd.registry import BATCH_AUGMENTS
from pcdet_kd.utils.arguments import check_at_least, check_choice


@BATCH_AUGMENTS.register_module()
class RSMix(BatchAugment):
    r"""Rigid subset mix (Lee et al., CVPR 2021).

    Around a random point p of a cloud and a random point q of its partner, a piece is cut: the
    points within a radius :math:`r \sim Beta(\beta, \beta)`, or, with ``neighborhood='knn'``, the
    :math:`\lceil r M \rceil` nearest; at most M (the first ones as stored). The cloud's piece is
    taken out, and as many points of the partner's piece, moved by :math:`p - q` and otherwise
    unchanged, take its place: a random subset if there are more, all of them and random ones again
    if there are fewer. The partner's share of the label is that of the points inserted. r is one
    for the batch; as the radius of a ball it belongs to clouds in the unit sphere.

    Only xyz moves; features behind it come along as they are.

    The released code applies it to half of the batches (``probs=0.5`` of
    :class:`RandomBatchAugment`). It puts the inserted points behind the others; here they are in
    the places of those taken out. Its nearest neighbours are one more.

    Args:
        beta: Of the beta distribution.
        max_points: M, the most points in a piece.
        neighborhood: ``'ball'`` or ``'knn'``.
    """

    def __init__(
        self, beta: float = 1.0, max_points: int = 512, neighborhood: str = 'ball'
    ) -> None:
        check_choice('neighborhood', neighborhood, ('ball', 'knn'))
        check_at_least('max_points', max_points)
        self.beta = beta_parameter('beta', beta)
        self.max_points = max_points
        self.neighborhood = neighborhood

    def mix(
        self, points: Tensor, others: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        batch, num_points = points.shape[:2]
        radius = rng.beta(self.beta, self.beta)
        at, other_at = random_index(rng, points), random_index(rng, others)
        out, added = self._piece(points, at, radius), self._piece(others, other_at, radius)

        # Random order of the partner's piece, its points first; then slot j gets the j-th, or a
        # random one past the end.
        order = (
            random_floats(rng, points, batch, num_points)
            .masked_fill(~added, 2.0)
            .argsort(dim=1, stable=True)
        )
        size = added.sum(1, keepdim=True)
        slot = out.cumsum(1) - 1
        again = (random_floats(rng, points, batch, num_points) * size).long().minimum(size - 1)
        source = order.gather(1, torch.where(slot < size, slot, again).clamp_(min=0))

        piece = take(others, source)
        moved = (
            piece[..., :3] + (take(points, at[:, None]) - take(others, other_at[:, None]))[..., :3]
        )
        mixed = torch.cat([moved, piece[..., 3:]], dim=2).where(out[..., None], points)
        return mixed, out.sum(1) / num_points

    def _piece(self, points: Tensor, at: Tensor, radius: float) -> Tensor:
        """Return which points (B, N) are in the piece around point ``at`` (B,)."""
        distance = squared_distance_to(points, at)
        if self.neighborhood == 'ball':
            inside = distance <= radius**2
            return inside & (inside.cumsum(1) <= self.max_points)
        count = max(1, math.ceil(radius * self.max_points))
        nearest = distance.argsort(dim=1, stable=True)[:, :count]
        return torch.zeros_like(distance, dtype=torch.bool).scatter_(1, nearest, True)
