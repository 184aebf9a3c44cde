"""Sampling for evaluation that leaves no point without a prediction."""

from collections.abc import Callable

import torch
from mmcv.transforms import BaseTransform

from pcdet_kd.ops import knn
from pcdet_kd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ScoreEveryPoint(BaseTransform):
    """Sample a cloud, and note for every point of the whole cloud the nearest one that is kept.

    A segmentor then sees the sampled cloud, and each point of the whole one gets the prediction of
    its nearest kept point, so that every point is scored, and scored once: also where a cloud has
    more points than the network takes, and where sampling repeats points. Among equally near ones
    the first counts.

    Added to the sample: ``nearest`` (N,) int64, and ``whole_part_labels`` (N,) if there are
    ``part_labels``; N is the number of points before sampling.

    Args:
        sampling: Config of the transform that samples; it may choose and repeat points but not move
            them. Farthest points from the first one need no random numbers, so that a test set
            stays the same.
    """

    def __init__(self, sampling: dict | Callable) -> None:
        self.sampling = TRANSFORMS.build(sampling) if isinstance(sampling, dict) else sampling

    def transform(self, results: dict) -> dict:
        """Sample.

        Raises:
            ValueError: The sampling moved points.
        """
        kept = self.sampling(results)
        whole, few = (torch.tensor(cloud['points'][:, :3])[None] for cloud in (results, kept))
        back = knn(few, whole, 1)[0, :, 0]
        if not torch.equal(whole[0, back], few[0]):
            raise ValueError(
                f'{type(self.sampling).__name__} moved points: ScoreEveryPoint takes a transform '
                'that only chooses some, for example FarthestPoints; put others before it'
            )
        added = {'nearest': knn(whole, few, 1)[0, :, 0].numpy()}
        if 'part_labels' in results:
            added['whole_part_labels'] = results['part_labels']
        return {**kept, **added}
