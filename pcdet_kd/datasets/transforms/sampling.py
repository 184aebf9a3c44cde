"""Choosing a fixed number of points."""

from abc import abstractmethod

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import take
from pcdet_kd.ops import farthest_point_sample
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.utils.arguments import check_at_least, check_choice


class PointSampling(BaseTransform):
    """Base of the sampling transforms: all per-point arrays follow the points.

    Args:
        num_points: How many points to keep.
        on_short: What to do with a cloud of fewer points: ``'error'``, or ``'resample'``: all
            points once, then again from the first until there are enough (so that no random numbers
            are needed and a test set stays the same).
    """

    def __init__(self, num_points: int, on_short: str = 'error') -> None:
        check_at_least('num_points', num_points)
        check_choice('on_short', on_short, ('error', 'resample'))
        self.num_points = num_points
        self.on_short = on_short

    @abstractmethod
    def choose(self, points: np.ndarray) -> np.ndarray:
        """Return ``num_points`` indices into a cloud (N, 3) of at least as many points."""

    def transform(self, results: dict) -> dict:
        """Keep ``num_points`` points.

        Raises:
            ValueError: The cloud has fewer and ``on_short`` is ``'error'``, or it has none.
        """
        n = len(results['points'])
        if n >= self.num_points:
            return take(results, self.choose(results['points']))
        if self.on_short == 'error' or n == 0:
            raise ValueError(
                f'the cloud has {n} points, num_points is {self.num_points}: ask for fewer, or '
                "pass on_short='resample' to repeat points"
            )
        return take(results, np.arange(self.num_points) % n)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_points={self.num_points}, on_short='{self.on_short}')"


@TRANSFORMS.register_module()
class FirstPoints(PointSampling):
    """Keep the first points as stored (PointNet, DGCNN, PointMLP and PointCMT: the first 1,024).

    Args:
        num_points, on_short: See :class:`PointSampling`.
    """

    def choose(self, points: np.ndarray) -> np.ndarray:
        return np.arange(self.num_points)


@TRANSFORMS.register_module()
class RandomPoints(PointSampling):
    """Keep a random subset without repetition, in random order.

    Args:
        num_points, on_short: See :class:`PointSampling`.
    """

    def choose(self, points: np.ndarray) -> np.ndarray:
        return np.random.permutation(len(points))[: self.num_points]


@TRANSFORMS.register_module()
class FarthestPoints(PointSampling):
    """Keep points by farthest-point sampling from the first point, in the order in which they are
    found.

    Args:
        num_points, on_short: See :class:`PointSampling`.
    """

    def choose(self, points: np.ndarray) -> np.ndarray:
        return farthest(points, self.num_points)


@TRANSFORMS.register_module()
class FarthestThenRandom(PointSampling):
    """Farthest-point sampling to a middle number, of which a random subset is kept (RS-CNN,
    PointNeXt: 1,200, then 1,024).

    Args:
        num_points: How many points to keep.
        num_farthest: The middle number. A cloud of fewer points is not an error as long as it has
            ``num_points``.
        on_short: See :class:`PointSampling`.
    """

    def __init__(
        self, num_points: int = 1024, num_farthest: int = 1200, on_short: str = 'error'
    ) -> None:
        super().__init__(num_points, on_short)
        if num_farthest < num_points:
            raise ValueError(
                f'num_farthest is {num_farthest}, must be at least num_points ({num_points})'
            )
        self.num_farthest = num_farthest

    def choose(self, points: np.ndarray) -> np.ndarray:
        index = farthest(points, min(self.num_farthest, len(points)))
        return index[np.random.permutation(len(index))[: self.num_points]]


def farthest(points: np.ndarray, num_points: int) -> np.ndarray:
    """Return the indices (num_points,) of a farthest-point sampling of (N, 3) that starts at the
    first point.
    """
    cloud = torch.from_numpy(
        np.array(points, dtype=np.float32)
    )  # a copy: the sample's arrays are read-only
    return farthest_point_sample(cloud[None], num_points, start=0)[0].numpy()
