"""One sample's label, prediction and identity."""

from collections.abc import Sequence

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor


class PointDataSample(BaseDataElement):
    """Labels and predictions of one point cloud.

    Data fields: ``gt_label`` (1,) int64, ``pred_label`` (1,) int64, ``pred_score`` (K,) float32
    that sums to 1, and, only where a batch augment has mixed the cloud with another, ``gt_score``
    (K,) float32 that sums to 1: what training aims at instead of ``gt_label``, which stays the
    class of the sample that ``sample_id`` names. In part segmentation ``gt_parts`` (N,) int64, -1
    where a point has no label, ``part_score`` (N, P) float32 whose rows sum to 1, ``pred_parts``
    (N,) int64, and, where not every point goes into the network, ``nearest`` (N,) int64: for each
    point the number of the nearest one that does. Meta fields: ``sample_idx`` (position in the data
    set), ``sample_id`` (a name that is stable over runs, machines and subsets), ``num_points`` (of
    the cloud as stored), ``up_axis`` ('x', 'y' or 'z').
    """

    def set_gt_label(self, label: int) -> 'PointDataSample':
        """Set the ground-truth class."""
        self.set_field(torch.as_tensor([int(label)], dtype=torch.int64), 'gt_label', dtype=Tensor)
        return self

    def set_gt_score(self, score: Tensor) -> 'PointDataSample':
        """Set the share (K,) of each class in a mixed cloud; the label stays."""
        self.set_field(score, 'gt_score', dtype=Tensor)
        return self

    def set_pred_score(self, score: Tensor) -> 'PointDataSample':
        """Set the class probabilities (K,) and, from them, the predicted class (lowest index on
        ties).
        """
        self.set_field(score, 'pred_score', dtype=Tensor)
        self.set_field(score.argmax(dim=0, keepdim=True), 'pred_label', dtype=Tensor)
        return self

    def set_gt_parts(self, parts: Tensor) -> 'PointDataSample':
        """Set the part (N,) of each point, -1 for none."""
        self.set_field(parts, 'gt_parts', dtype=Tensor)
        return self

    def set_nearest(self, nearest: Tensor) -> 'PointDataSample':
        """Set for each of the N points the number (N,) of the nearest one in the input."""
        self.set_field(nearest, 'nearest', dtype=Tensor)
        return self

    def set_part_score(self, score: Tensor, parts: Sequence[int]) -> 'PointDataSample':
        """Set the part probabilities (N, P) and, from them, the predicted part of each point.

        Args:
            score: (N, P).
            parts: The parts that the cloud's class has; the likeliest of these is predicted (the
                first of them on ties).
        """
        self.set_field(score, 'part_score', dtype=Tensor)
        allowed = torch.as_tensor(tuple(parts), device=score.device)
        self.set_field(allowed[score[:, allowed].argmax(dim=1)], 'pred_parts', dtype=Tensor)
        return self


def pseudo_targets(samples: Sequence[PointDataSample], teacher_logits: Tensor) -> Tensor:
    """Return one class per sample (B,) int64: its label or, where it has none, the class that the
    teacher's logits (B, K) are highest for.
    """
    guessed = teacher_logits.detach().argmax(dim=1)
    if all('gt_label' in sample for sample in samples):
        return torch.cat([sample.gt_label for sample in samples]).to(guessed.device)
    known = [sample.gt_label if 'gt_label' in sample else None for sample in samples]
    return torch.stack(
        [
            guess if label is None else label[0].to(guess.device)
            for label, guess in zip(known, guessed)
        ]
    )


def targets(samples: Sequence[PointDataSample], num_classes: int) -> Tensor:
    """Return what training aims at: the labels (B,) int64, or, if a sample is mixed, the shares of
    classes (B, K) float32.

    Raises:
        ValueError: A ``gt_score`` has another number of classes.
    """
    labels = torch.cat([sample.gt_label for sample in samples])
    if not any('gt_score' in sample for sample in samples):
        return labels
    wrong = {tuple(sample.gt_score.shape) for sample in samples if 'gt_score' in sample} - {
        (num_classes,)
    }
    if wrong:
        raise ValueError(
            f'gt_score has shape {wrong.pop()}, expected ({num_classes},) for {num_classes} '
            'classes: correct num_classes of the data_preprocessor'
        )
    hard = torch.nn.functional.one_hot(labels, num_classes).float()
    return torch.stack(
        [sample.gt_score if 'gt_score' in sample else row for sample, row in zip(samples, hard)]
    )
