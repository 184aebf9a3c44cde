"""What is measured: accuracy (plain and voted), and the distance of generated clouds."""

from pcdet_kd.evaluation.accuracy import PointAccuracy, class_table
from pcdet_kd.evaluation.functional import (
    class_precisions,
    class_recalls,
    confusion_matrix,
    mean_class_accuracy,
    overall_accuracy,
)
from pcdet_kd.evaluation.point_cloud_distance import GenerationDistance
from pcdet_kd.evaluation.sample_metric import SampleMetric
from pcdet_kd.evaluation.voting import VotingTTA

__all__ = [
    'GenerationDistance',
    'PointAccuracy',
    'SampleMetric',
    'VotingTTA',
    'class_precisions',
    'class_recalls',
    'class_table',
    'confusion_matrix',
    'mean_class_accuracy',
    'overall_accuracy',
]
