"""What is measured: accuracy (plain and voted), and the distance of generated clouds."""

from pcdet_kd.evaluation.accuracy import PointAccuracy, class_table
from pcdet_kd.evaluation.corruption import MODELNET_C_BASELINE, error_rates, modelnet_c_scores
from pcdet_kd.evaluation.functional import (
    class_precisions,
    class_recalls,
    confusion_matrix,
    mean_class_accuracy,
    overall_accuracy,
)
from pcdet_kd.evaluation.paired_bootstrap import Interval, bootstrap, paired_bootstrap
from pcdet_kd.evaluation.point_cloud_distance import GenerationDistance
from pcdet_kd.evaluation.robustness import robustness_report
from pcdet_kd.evaluation.sample_metric import SampleMetric
from pcdet_kd.evaluation.suite_results import SetResult, SuiteResult, suite_sets
from pcdet_kd.evaluation.voting import VotingTTA

__all__ = [
    'MODELNET_C_BASELINE',
    'GenerationDistance',
    'Interval',
    'PointAccuracy',
    'SampleMetric',
    'SetResult',
    'SuiteResult',
    'VotingTTA',
    'bootstrap',
    'class_precisions',
    'class_recalls',
    'class_table',
    'confusion_matrix',
    'error_rates',
    'mean_class_accuracy',
    'modelnet_c_scores',
    'overall_accuracy',
    'paired_bootstrap',
    'robustness_report',
    'suite_sets',
]
