"""One sample's label, prediction and identity."""

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor


class PointDataSample(BaseDataElement):
    """Labels and predictions of one point cloud.

    Data fields: ``gt_label`` (1,) int64, ``pred_label`` (1,) int64, ``pred_score`` (K,) float32 that sums to 1.
    Meta fields: ``sample_idx`` (position in the data set), ``sample_id`` (a name that is stable over runs, machines and
    subsets), ``num_points`` (of the cloud as stored), ``up_axis`` ('x', 'y' or 'z').
    """

    def set_gt_label(self, label: int) -> 'PointDataSample':
        """Set the ground-truth class."""
        self.set_field(torch.as_tensor([int(label)], dtype=torch.int64), 'gt_label', dtype=Tensor)
        return self

    def set_pred_score(self, score: Tensor) -> 'PointDataSample':
        """Set the class probabilities (K,) and, from them, the predicted class (lowest index on ties)."""
        self.set_field(score, 'pred_score', dtype=Tensor)
        self.set_field(score.argmax(dim=0, keepdim=True), 'pred_label', dtype=Tensor)
        return self
