"""The contract of batch augments."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor


class BatchAugment(ABC):
    """Mixes every cloud with that of another sample, and the labels in the same proportion.

    The partners are a random permutation of the batch, so that each cloud is a partner once; a
    cloud may be its own. A method is a subclass that implements :meth:`mix`; pairing and labels are
    here.
    """

    def __call__(
        self, points: Tensor, score: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Mix a batch; nothing is changed in place.

        Args:
            points: (B, N, C) with xyz first.
            score: (B, K) shares of the classes, rows summing to 1.
            rng: Where all random numbers come from.

        Returns:
            Points (B, N, C) and shares (B, K).
        """
        partner = torch.from_numpy(rng.permutation(len(points))).to(points.device)
        mixed, share = self.mix(points, points[partner], rng)
        share = share.to(score.dtype)[:, None]
        return mixed, (1 - share) * score + share * score[partner]

    @abstractmethod
    def mix(
        self, points: Tensor, others: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return mixed clouds (B, N, C) and the partners' share (B,) in each, 0 to 1.

        Args:
            points: (B, N, C).
            others: (B, N, C): the partner of each.
            rng: Random numbers.
        """


def beta_parameter(name: str, value: float) -> float:
    """Return the parameter of a symmetric beta distribution, or raise ``ValueError``."""
    if not 0 < value < float('inf'):
        raise ValueError(f'{name} is {value!r}, expected a positive number')
    return float(value)


def random_floats(rng: np.random.Generator, like: Tensor, *shape: int) -> Tensor:
    """Return ``shape`` float32 numbers in [0, 1) on the device of ``like``."""
    return torch.from_numpy(rng.random(shape, dtype=np.float32)).to(like.device)


def random_index(rng: np.random.Generator, points: Tensor) -> Tensor:
    """Return the index (B,) int64 of a random point of each cloud."""
    batch, size = points.shape[:2]
    unit = torch.from_numpy(rng.random(batch)).to(points.device)
    return (unit * size).long().clamp_(max=size - 1)


def take(points: Tensor, index: Tensor) -> Tensor:
    """Return rows ``index`` (B, M) of points (B, N, C)."""
    return points.gather(1, index[..., None].expand(-1, -1, points.shape[2]))


def squared_distance_to(points: Tensor, index: Tensor) -> Tensor:
    """Return the squared distance (B, N) of each point to point ``index`` (B,) of its cloud, by
    xyz.
    """
    xyz = points[..., :3]
    return (xyz - take(xyz, index[:, None])).square().sum(2)
