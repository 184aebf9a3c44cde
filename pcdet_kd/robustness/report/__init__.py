"""The report on a corruption suite: one page that opens anywhere, and its tables for a paper."""

from pcdet_kd.robustness.report.content import robustness_report
from pcdet_kd.robustness.report.write import make_report, report_tables, write_report

__all__ = ['make_report', 'report_tables', 'robustness_report', 'write_report']
