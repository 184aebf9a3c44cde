"""A table as markdown, LaTeX and JSON."""

import json
import math
import os
from pathlib import Path

from pcdet_kd.apis.tables.result import EPOCHS, RULE, TableResult
from pcdet_kd.robustness.report.table import Table
from pcdet_kd.utils.files import write_whole
from pcdet_kd.visualization.lines import draw_lines


def write_table(result: TableResult, folder: str | os.PathLike) -> list[Path]:
    """Write ``table.md``, ``table.tex`` and ``table.json``, and ``table.png`` if the table has an
    axis, and return the files.

    Args:
        result: The table.
        folder: Directory.
    """
    content = json.dumps(result.to_dict(), indent=1, ensure_ascii=False, default=str)
    contents = {
        'table.md': markdown(result),
        'table.tex': latex(result),
        'table.json': content + '\n',
    }
    for name, text in contents.items():
        write_whole(Path(folder) / name, text)
    files = [Path(folder) / name for name in contents]
    if result.spec.axis and result.figures:
        files.append(_draw(result, Path(folder) / 'table.png'))
    return files


def _draw(result: TableResult, path: Path) -> Path:
    """Draw the first metric of the last epoch over the columns' numbers."""
    metric, label = next(iter(result.metrics.items()))
    lines = {}
    for row in result.rows:
        for column, x in result.spec.column_x.items():
            figure = result.figure(row, column, metric, 'last')
            if figure is not None:
                std = math.nan if figure.std is None else figure.std
                lines.setdefault(row, []).append((x, figure.mean, std))
    seeds = f'{len(result.seeds)} seeds' if len(result.seeds) > 1 else 'one seed'
    return draw_lines(
        lines, path, result.spec.axis, f'{label}, %, last epoch, {seeds}', result.spec.title
    )


def short_table(result: TableResult) -> Table:
    """Return the table in the shape of the paper's: published numbers, and ours beside them."""
    several = len(result.spec.columns) > 1
    metrics = result.metrics
    header, cells = [''], {row: [row] for row in result.rows}
    for column, words in result.spec.columns.items():
        for metric, label in metrics.items():
            if metric not in result.spec.column_metrics.get(column, metrics):
                continue
            title = ' '.join([*[words] * several, label]).strip()
            given = {
                row: _published(result, row, column, metric, bool(result.spec.metrics))
                for row in result.rows
            }
            if any(given.values()):
                header.append(f'{title} published')
                for row, value in given.items():
                    cells[row].append(value or '–')
            for epoch, name in EPOCHS.items():
                found = {row: result.figure(row, column, metric, epoch) for row in result.rows}
                if epoch == 'last' or any(found.values()):
                    header.append(f'{title} {name}')
                    for row, figure in found.items():
                        cells[row].append(
                            figure.text(len(result.seeds))
                            if figure
                            else _why_not(result, row, column)
                        )
    return Table(
        result.spec.title, header, list(cells.values()), label=result.spec.name.replace('_', '-')
    )


def _published(result: TableResult, row: str, column: str, metric: str, named: bool) -> str:
    cell = result.spec.cells.get((row, column))
    value = (cell.published if cell else {}).get(metric)
    return '' if value is None or not named else str(value)


def _why_not(result: TableResult, row: str, column: str) -> str:
    units = [u for u in result.units if (u.cell.row, u.cell.column) == (row, column)]
    if not units:
        return '–'
    return 'failed' if any(str(unit) in result.failed for unit in units) else 'not run'


def markdown(result: TableResult) -> str:
    """Return the table, the selection rule, comparisons, failures and commands."""
    seeds = ', '.join(map(str, result.seeds))
    parts = [f'# {result.spec.title}', short_table(result).markdown()]
    parts.append(
        f'In %, mean ± standard deviation over the seeds {seeds}. {RULE}'
        if len(result.seeds) > 1
        else f'In %, one seed ({seeds}). {RULE}'
    )
    if any(name.endswith('_voted') for name in result.metrics):
        votes = result.units[0].settings.votes
        parts.append(f'Voted: mean of {votes} scaled copies of each cloud; the others are plain.')
    if result.spec.note:
        parts.append(result.spec.note)
    comparisons = result.sentences() if result.spec.reference else []
    if comparisons:
        lines = '\n'.join(f'- {text}' for text in comparisons)
        parts.append(f'Paired tests at the last epoch:\n\n{lines}')
    if result.failed:
        lines = [f'- {run}: {" ".join(text.split())}' for run, text in result.failed.items()]
        parts.append('Failed:\n\n' + '\n'.join(lines))
    first = [unit for unit in result.units if unit.seed == result.seeds[0]]
    commands = '\n'.join(f'    {unit.command()}' for unit in first)
    parts.append(f'Commands, with the first seed:\n\n{commands}')
    return '\n\n'.join(parts) + '\n'


def latex(result: TableResult) -> str:
    """Return the table for LaTeX, with selection rule and commands as comments."""
    first = [unit for unit in result.units if unit.seed == result.seeds[0]]
    comments = [RULE, f'seeds: {", ".join(map(str, result.seeds))}', result.spec.note]
    comments += [unit.command() for unit in first]
    lines = [f'% {line}' for text in comments if text for line in text.splitlines()]
    return '\n'.join([*lines, '% \\usepackage{booktabs}', '', short_table(result).latex(), ''])
