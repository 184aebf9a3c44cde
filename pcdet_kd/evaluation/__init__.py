"""What is measured: accuracy and part IoU (plain and voted), the difference of two models, the
distance of generated clouds, and how well frozen features tell classes apart.
"""

from pcdet_kd.evaluation.accuracy import PointAccuracy, class_table
from pcdet_kd.evaluation.backbone_features import Features, backbone_features, probe_pool
from pcdet_kd.evaluation.feature_probe import knn_predict, probe_features, svm_predict
from pcdet_kd.evaluation.functional import (
    class_precisions,
    class_recalls,
    confusion_matrix,
    mean_class_accuracy,
    overall_accuracy,
)
from pcdet_kd.evaluation.paired_bootstrap import Interval, bootstrap, paired_bootstrap
from pcdet_kd.evaluation.paired_test import Difference, compare_right, mcnemar
from pcdet_kd.evaluation.part_iou import PartIoU, part_ious
from pcdet_kd.evaluation.point_cloud_distance import GenerationDistance
from pcdet_kd.evaluation.predictions import Predictions, check_same_shapes, read_predictions
from pcdet_kd.evaluation.saliency import point_saliency, radial_saliency
from pcdet_kd.evaluation.sample_metric import SampleMetric
from pcdet_kd.evaluation.voting import VotingTTA

__all__ = [
    'Difference',
    'Features',
    'Interval',
    'PartIoU',
    'Predictions',
    'backbone_features',
    'bootstrap',
    'check_same_shapes',
    'compare_right',
    'knn_predict',
    'mcnemar',
    'paired_bootstrap',
    'part_ious',
    'point_saliency',
    'probe_features',
    'probe_pool',
    'radial_saliency',
    'read_predictions',
    'svm_predict',
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
