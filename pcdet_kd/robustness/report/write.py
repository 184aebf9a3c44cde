"""Writing a report: a page to read, tables for a paper, and all numbers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pcdet_kd.robustness.report import tables
from pcdet_kd.robustness.report.content import robustness_report
from pcdet_kd.robustness.report.page import page, summary
from pcdet_kd.robustness.report.table import Table
from pcdet_kd.robustness.results import SuiteResult
from pcdet_kd.utils.files import write_whole


def write_report(report: Mapping[str, Any], out: str | Path) -> list[Path]:
    """Write ``report.html``, ``report.json``, ``report.md`` and ``report.tex``.

    The page needs no other file and no network, and prints on A4. The LaTeX tables need the package
    booktabs.

    Args:
        report: From :func:`pcdet_kd.robustness.robustness_report`.
        out: Directory.

    Returns:
        The files.
    """
    contents = {
        'report.html': page(report),
        'report.json': json.dumps(plain(report), indent=1) + '\n',
        'report.md': markdown(report),
        'report.tex': latex(report),
    }
    for name, content in contents.items():
        write_whole(Path(out) / name, content)
    return [Path(out) / name for name in contents]


def make_report(
    models: Mapping[str, Sequence[str | Path]], out: str | Path | None = None
) -> dict[str, Any]:
    """Return the report on models, by their names the folders of their results, one per run.

    Args:
        models: Folders that :func:`pcdet_kd.robustness.evaluate_suite` returned.
        out: Directory that gets the report's files; None for none.
    """
    report = robustness_report(
        {name: [SuiteResult.read(Path(f)) for f in folders] for name, folders in models.items()}
    )
    if out is not None:
        write_report(report, out)
    return report


def plain(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report without the points of the drawn clouds."""
    models = [
        dict(
            model,
            worst=[{k: v for k, v in entry.items() if k != 'points'} for entry in model['worst']],
        )
        for model in report['models']
    ]
    return dict(report, models=models)


def report_tables(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return captions and markdown tables to show in a terminal: scores, corruptions,
    comparisons.
    """
    return [
        (table.caption, table.markdown())
        for table in _all_tables(report, severities=len(report['models']) == 1)
    ]


def _all_tables(report: Mapping[str, Any], severities: bool = True) -> list[Table]:
    return [
        tables.score_table(report),
        tables.corruption_table(report),
        *(tables.comparison_table(report, each) for each in report['comparisons']),
        *(tables.severity_table(report, m) for m in report['models'] if severities),
    ]


def protocol_lines(report: Mapping[str, Any]) -> list[str]:
    """Return the protocol of each model, one line per model and one on the files."""
    lines = [f'Files: {report["provenance"]}.', *report['notes']]
    for model in report['models']:
        run = model['runs'][0]
        words = '; '.join(f'{key}: {value}' for key, value in model['protocol'].items())
        more = f' and {len(model["runs"]) - 1} more runs' if len(model['runs']) > 1 else ''
        lines.append(
            f'{model["name"]}: {run["config"]} with {run["checkpoint"]} (SHA-256 '
            f'{run["sha256"][:12]}){more}; {words}.'
        )
    return lines


def markdown(report: Mapping[str, Any]) -> str:
    """Return the report as markdown."""
    parts = [
        f'# Robustness on {report["title"]}',
        summary(report),
        '\n'.join(f'- {line}' for line in protocol_lines(report)),
        *(text for t in _all_tables(report) for text in (t.caption, t.markdown())),
    ]
    return '\n\n'.join(parts) + '\n'


def latex(report: Mapping[str, Any]) -> str:
    """Return the tables for LaTeX, with the protocol as comments."""
    return '\n'.join(
        [
            *(f'% {line}' for line in protocol_lines(report)),
            '% \\usepackage{booktabs}',
            '',
            *(table.latex() + '\n' for table in _all_tables(report)),
        ]
    )
