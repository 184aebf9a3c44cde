"""The report on a corruption suite: one page that opens anywhere, and its tables for a paper."""

from pcdet_kd.visualization.robustness.report import report_tables, write_report

__all__ = ['report_tables', 'write_report']
