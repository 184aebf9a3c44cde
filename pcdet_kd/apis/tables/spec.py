"""What a table consists of: rows, columns, and the config of each cell."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pcdet_kd.apis.models import model_config
from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.config_reader import config_files, read_config
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.config_root import shipped_hint

LABELS = {
    'accuracy': 'OA',
    'mean_class_accuracy': 'mAcc',
    'accuracy_voted': 'OA voted',
    'mean_class_accuracy_voted': 'mAcc voted',
    'instance_miou': 'instance mIoU',
    'class_miou': 'class mIoU',
    'er': 'ER',
    'clean_er': 'clean ER',
    'mce': 'mCE',
    'rmce': 'RmCE',
    'emd': 'EMD',
}
_CELL = ('config', 'options', 'stage_options', 'alone', 'suite', 'published')
_TABLE = ('title', 'note', 'metrics', 'columns', 'rows', 'reference', 'axis')


@dataclass(frozen=True)
class Cell:
    """One model on one data set.

    Attributes:
        row: Label of its row.
        column: Name of its column.
        config: The leaf's file; None where only a published number is shown.
        options: As ``--cfg-options``; a value ``'{seed}'`` stands for the run's seed.
        stage_options: As ``--stage-options``, likewise.
        alone: Train the distiller's student alone, with the distiller's data and schedule.
        suite: Suite of corruptions that the trained model is also tested on.
        published: Numbers of the paper by metric.
    """

    row: str
    column: str
    config: Path | None
    options: dict[str, Any] = field(default_factory=dict)
    stage_options: dict[str, Any] = field(default_factory=dict)
    alone: bool = False
    suite: str | None = None
    published: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TableSpec:
    """A table of cells.

    Attributes:
        name: Of its files.
        source: What was given to the command.
        title: What it shows.
        note: What a reader should know of the published numbers and of how ours differ.
        metrics: Shown metrics with the words for them; empty: all that are found.
        columns: Words for the columns, by name.
        column_metrics: Metrics of columns that do not show all.
        rows: Labels.
        cells: By (row, column); some may be empty.
        reference: Row that the others are compared with; None for no comparison.
        axis: What the columns' numbers are; then a picture shows the rows as lines over them.
        column_x: These numbers.
    """

    name: str
    source: str
    title: str
    note: str
    metrics: dict[str, str]
    columns: dict[str, str]
    rows: tuple[str, ...]
    cells: dict[tuple[str, str], Cell]
    column_metrics: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reference: str | None = None
    axis: str = ''
    column_x: dict[str, float] = field(default_factory=dict)


def read_table(config: str | os.PathLike, with_baseline: bool = False) -> TableSpec:
    """Read a table, or make one of a plain config.

    A table's file sets ``title`` and ``rows``; see docs/en/tables.md.

    Args:
        config: Its file, or a config or the name of a model, which makes one row.
        with_baseline: Of a plain config of a distiller: a row for the student alone, before it.

    Raises:
        ConfigError: A key is unknown or missing, a cell has no config, or a file is missing.
    """
    path = model_config(config)
    if not path.is_file():
        raise FileNotFoundError(f'no config {path}.{shipped_hint(path)}')
    if 'rows' not in config_files(path)[0].assigned:
        alone = [Cell(f'{path.stem}, student alone', 'value', path, alone=True)] * with_baseline
        cells = [*alone, Cell(path.stem, 'value', path)]
        return TableSpec(
            name=path.stem,
            source=str(config),
            title=f'{path.stem}, several seeds',
            note='',
            metrics={},
            columns={'value': ''},
            rows=tuple(cell.row for cell in cells),
            cells={(cell.row, cell.column): cell for cell in cells},
            reference=cells[0].row if alone else None,
        )
    if with_baseline:
        raise ConfigError(path, ['--with-baseline: a table says itself which rows it has'])
    return _table(path, str(config))


def _table(path: Path, source: str) -> TableSpec:
    found = read_config(path).to_dict()
    own = config_files(path)[0].assigned
    problems = [
        f'{key}: not a key of a table.{did_you_mean(key, _TABLE)}'
        for key in sorted(own - set(_TABLE))
        if not key.startswith('_') and key in found
    ]
    problems += [f'{key}: missing' for key in ('title', 'rows') if not found.get(key)]
    columns = found.get('columns') or {'value': ''}
    metrics = found.get('metrics') or {}
    if not isinstance(metrics, Mapping):
        metrics = {name: LABELS.get(name, name) for name in metrics}
    of_columns, column_x = {}, {}
    for name, value in columns.items():
        if isinstance(value, Mapping):
            problems += _unknown(value, ('label', 'metrics', 'x'), f'columns, {name}: ')
            of_columns[name] = tuple(value.get('metrics') or metrics)
            column_x.update({name: value['x']} if 'x' in value else {})
            columns = {**columns, name: value.get('label', name)}
    cells, labels = {}, []
    for row in found.get('rows') or ():
        label = str(row.get('label', ''))
        if not label or label in labels:
            problems.append(f"rows: label '{label}' is empty or used twice")
        labels.append(label)
        problems += _unknown(row, ('label', 'cells', *_CELL), f'{label}: ')
        given = row['cells'] if 'cells' in row else {name: {} for name in columns}
        for column, value in given.items():
            if column not in columns:
                problems.append(f"{label}: no column '{column}'.{did_you_mean(column, columns)}")
                continue
            problems += _unknown(value, _CELL, f'{label}, {column}: ')
            shown = of_columns.get(column) or tuple(metrics)
            cell = _cell(path, label, column, row, value, shown)
            problems += _problems(cell)
            cells[label, column] = cell
    reference = found.get('reference')
    if reference is not None and reference not in labels:
        problems.append(f"reference: no row '{reference}'.{did_you_mean(reference, labels)}")
    axis = found.get('axis') or ''
    if axis and column_x.keys() != columns.keys():
        problems.append('axis: every column needs a number x: columns=dict(a=dict(x=2))')
    if problems:
        raise ConfigError(path, problems)
    return TableSpec(
        path.stem,
        source,
        found['title'],
        found.get('note') or '',
        dict(metrics),
        dict(columns),
        tuple(labels),
        cells,
        of_columns,
        reference,
        axis,
        column_x,
    )


def _unknown(given: Mapping[str, Any], known: Sequence[str], where: str) -> list[str]:
    return [
        f"{where}no key '{key}'.{did_you_mean(key, known)}" for key in given if key not in known
    ]


def _cell(
    path: Path,
    label: str,
    column: str,
    row: Mapping[str, Any],
    value: Mapping[str, Any],
    metrics: Sequence[str],
) -> Cell:
    """Merge what a row says with what one of its cells says."""

    def merged(key: str) -> dict[str, Any]:
        return {**(row.get(key) or {}), **(value.get(key) or {})}

    config = value.get('config', row.get('config'))
    published = value.get('published', row.get('published'))
    if published is None:
        published = {}
    elif not isinstance(published, Mapping):
        published = {metrics[0] if metrics else 'accuracy': published}
    return Cell(
        row=label,
        column=column,
        config=_file(path, config),
        options=merged('options'),
        stage_options=merged('stage_options'),
        alone=bool(value.get('alone', row.get('alone', False))),
        suite=value.get('suite', row.get('suite')),
        published=dict(published),
    )


def _file(path: Path, config: str | None) -> Path | None:
    """Return the path of a cell's config, which is named from the table's folder."""
    if config is None:
        return None
    if '::' in config:
        return model_config(config)
    return Path(os.path.normpath(path.parent / config))


def _problems(cell: Cell) -> list[str]:
    where = f'{cell.row}, {cell.column}'
    if cell.config is None:
        return [] if cell.published else [f'{where}: config: missing']
    problems = []
    if not cell.config.is_file():
        near = did_you_mean(cell.config.name, (p.name for p in cell.config.parent.glob('*.py')))
        problems.append(f'{where}: no config {cell.config}.{near}')
    if cell.suite is not None and cell.suite not in SUITES:
        hint = did_you_mean(cell.suite, SUITES)
        problems.append(f"{where}: suite: '{cell.suite}' is not a suite.{hint}")
    return problems
