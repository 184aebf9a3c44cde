"""What ``test`` does with a corruption suite."""

import argparse
from collections.abc import Mapping
from typing import Any


def add_suite_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--corruptions``, ``--corruptions-root``, ``--renormalize`` and ``--report``."""
    group = parser.add_argument_group(
        'corruption suites',
        'a single pass over all sets with whole clouds; if it was stopped, the same command '
        'resumes after the last finished set',
    )
    group.add_argument(
        '--corruptions',
        metavar='SUITE',
        help='evaluate on modelnet40-c or modelnet-c instead of the test split; not needed if the '
        'config has corruptions = dict(...)',
    )
    group.add_argument(
        '--corruptions-root',
        metavar='DIR',
        help="directory of the suite's files; default: data/modelnet40_c or data/modelnet_c",
    )
    group.add_argument(
        '--renormalize',
        choices=['none', 'sphere', 'box+sphere'],
        help='normalise each corrupted cloud; default: none, the official protocol',
    )
    group.add_argument(
        '--report', metavar='DIR', help='write report.html, .json, .md and .tex there'
    )


def show(report: Mapping[str, Any]) -> None:
    """Print a report's tables."""
    from pcdet_kd.robustness import report_tables

    for title, table in report_tables(report):
        print(f'\n{title}\n{table}')
    for note in report['notes']:
        print(f'\nnote: {note}')
    print(f'\nfiles: {report["provenance"]}')
