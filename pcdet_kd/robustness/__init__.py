"""Robustness to corruptions: suites are generated, a model is evaluated on them, and a report shows
the results.
"""

from pcdet_kd.robustness.evaluate import evaluate_suite
from pcdet_kd.robustness.generation import Generated, Source, generate, source_of
from pcdet_kd.robustness.metrics import MODELNET_C_BASELINE, error_rates, modelnet_c_scores
from pcdet_kd.robustness.report import make_report, report_tables, robustness_report, write_report
from pcdet_kd.robustness.results import SetResult, SuiteResult
from pcdet_kd.robustness.suite_data import SuiteData

__all__ = [
    'MODELNET_C_BASELINE',
    'Generated',
    'SetResult',
    'Source',
    'SuiteData',
    'SuiteResult',
    'error_rates',
    'evaluate_suite',
    'generate',
    'make_report',
    'modelnet_c_scores',
    'report_tables',
    'robustness_report',
    'source_of',
    'write_report',
]
