"""What all decode heads share: a loss on points, and predictions of parts."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from pcdet_kd.layers import at_least_float32
from pcdet_kd.registry import LOSSES
from pcdet_kd.structures import PointDataSample, PointFeatures


class DecodeHead(BaseModule):
    """Base of the heads that give each point a part.

    A subclass builds its layers from the widths of a backbone's levels and maps in
    :meth:`forward`.

    Args:
        num_parts: P.
        num_classes: Classes of clouds; the class of a cloud is an input of the head.
        level_channels: Channels of the backbone's levels; a segmentor fills it in.
        global_channels: Channels of the backbone's global feature; a segmentor fills it in.
        loss: Config of the loss, called with ``student_logits`` (M, P) and ``target`` (M,) of all
            labelled points of the batch.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        num_parts: int,
        num_classes: int,
        level_channels: Sequence[int],
        global_channels: int,
        loss: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not level_channels:
            raise ValueError(f'{type(self).__name__}: the backbone has no levels to decode')
        self.num_parts = num_parts
        self.num_classes = num_classes
        self.level_channels = tuple(level_channels)
        self.global_channels = global_channels
        self.loss_seg = LOSSES.build(loss or dict(type='CrossEntropyLoss'))

    @abstractmethod
    def forward(self, points: Tensor, features: PointFeatures, category: Tensor) -> Tensor:
        """Decode.

        Args:
            points: (B, N, C) what the backbone saw, xyz first.
            features: What it made of them.
            category: (B,) int64 class of each cloud.

        Returns:
            Logits (B, N, num_parts).
        """

    def one_hot(self, category: Tensor) -> Tensor:
        """Return classes (B,) as (B, num_classes) float32."""
        return F.one_hot(category, self.num_classes).float()

    def loss(self, logits: Tensor, samples: Sequence[PointDataSample]) -> dict[str, Tensor]:
        """Return ``loss_seg`` of logits (B, N, P) against the samples' ``gt_parts``, over the
        points that have a label; 0 in a batch without one.

        Raises:
            ValueError: No sample has ``gt_parts``, or they are of another number of points.
        """
        if len(samples) != len(logits) or not any('gt_parts' in sample for sample in samples):
            raise ValueError(
                f'the loss needs samples with gt_parts: {len(logits)} clouds, {len(samples)} '
                'samples, none with gt_parts. Set PackPointInputs(parts=True)'
            )
        num_points = logits.shape[1]
        target = torch.stack([self._parts(sample, num_points) for sample in samples])
        target = target.to(logits.device).flatten()
        labelled = target >= 0
        if not labelled.any():
            return dict(loss_seg=logits.sum() * 0)
        rows = logits.flatten(0, 1)[labelled]
        return dict(loss_seg=self.loss_seg(student_logits=rows, target=target[labelled]))

    @staticmethod
    def _parts(sample: PointDataSample, num_points: int) -> Tensor:
        if 'gt_parts' not in sample:
            return torch.full((num_points,), -1)
        if len(sample.gt_parts) != num_points:
            raise ValueError(
                f"sample '{sample.get('sample_id')}' has parts of {len(sample.gt_parts)} points "
                f'and {num_points} points: ScoreEveryPoint is for evaluation, not for training'
            )
        return sample.gt_parts

    def predict(
        self,
        logits: Tensor,
        samples: Sequence[PointDataSample] | None,
        class_parts: Sequence[Sequence[int]],
        category: Tensor,
    ) -> list[PointDataSample]:
        """Return copies of the samples with ``part_score`` and ``pred_parts``: of the points in the
        input, or, where a sample has ``nearest``, of all points that it was sampled from.

        Args:
            logits: (B, N, P).
            samples: One per cloud. None: empty ones.
            class_parts: For each class the parts that it has; only these are predicted.
            category: (B,) class of each cloud.
        """
        scores = at_least_float32(logits).softmax(dim=-1)
        predicted = []
        known = [PointDataSample() for _ in scores] if samples is None else samples
        for sample, score, label in zip(known, scores, category.tolist()):
            if 'nearest' in sample:
                score = score[sample.nearest.to(score.device)]
            predicted.append(sample.new().set_part_score(score, class_parts[label]))
        return predicted
