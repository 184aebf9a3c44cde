"""The numbers of a table: mean and deviation over seeds, and what they were made with."""

import math
import statistics
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.apis.tables.spec import LABELS, TableSpec
from pcdet_kd.apis.tables.unit import Unit
from pcdet_kd.evaluation.paired_test import compare_right, sentence
from pcdet_kd.evaluation.predictions import (
    check_same_shapes,
    predictions_file,
    read_predictions,
)
from pcdet_kd.utils.errors import DataError, UserError

EPOCHS = {'last': 'last', 'best': 'val-best'}
RULE = (
    'last: the last epoch. val-best: the best epoch on a validation split of the training set. '
    'Nothing is selected on the test set.'
)


@dataclass(frozen=True)
class Figure:
    """A metric of a cell.

    Attributes:
        row, column: The cell.
        metric: Its name.
        epoch: ``last`` or ``best``.
        values: By seed.
    """

    row: str
    column: str
    metric: str
    epoch: str
    values: dict[int, float]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values.values())

    @property
    def std(self) -> float | None:
        """Standard deviation over the seeds (n - 1); None of one seed."""
        values = list(self.values.values())
        return statistics.stdev(values) if len(values) > 1 else None

    def text(self, seeds: int) -> str:
        """Return ``mean ± std``, and the number of seeds if some of them are missing."""
        digits = 3 if self.metric in ('mce', 'rmce', 'emd') else 1
        text = f'{self.mean:.{digits}f}'
        text += '' if self.std is None else f' ± {self.std:.{digits}f}'
        return text if len(self.values) == seeds else f'{text} ({len(self.values)} of {seeds})'


@dataclass
class TableResult:
    """A table with what its runs reached; runs of other processes count too.

    Attributes:
        spec: The table.
        units: All runs that it asks for.
        seeds: Seeds of each cell.
        failed: Messages by run, of this process.
        asked: Labels of the rows that are shown; none for all.
    """

    spec: TableSpec
    units: list[Unit]
    seeds: tuple[int, ...]
    failed: dict[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()

    @cached_property
    def work_dirs(self) -> dict[tuple[str, str], dict[int, Path]]:
        """Directories of the finished runs by (row, column) and seed."""
        found = {}
        for unit in self.units:
            if str(unit) in self.failed:
                continue
            try:
                folder = unit.plan()[-1].work_dir
            except UserError as error:
                self.failed[str(unit)] = str(error)
                continue
            if unit.results(folder):
                found.setdefault((unit.cell.row, unit.cell.column), {})[unit.seed] = folder
        return found

    @cached_property
    def figures(self) -> list[Figure]:
        """All metrics of all cells."""
        found: dict[tuple, dict[int, float]] = {}
        for unit in self.units:
            row, column = unit.cell.row, unit.cell.column
            folder = self.work_dirs.get((row, column), {}).get(unit.seed)
            for epoch, metrics in (unit.results(folder) if folder else {}).items():
                for name, value in metrics.items():
                    if not math.isnan(value):
                        found.setdefault((row, column, name, epoch), {})[unit.seed] = value
        return [Figure(*key, values) for key, values in found.items()]

    @property
    def metrics(self) -> dict[str, str]:
        """The shown metrics and the words for them; with votes, the voted ones too."""
        found = list(dict.fromkeys(figure.metric for figure in self.figures))
        if not self.spec.metrics:
            return {name: LABELS.get(name, name) for name in found}
        voted = [f'{name}_voted' for name in self.spec.metrics]
        return {
            **self.spec.metrics,
            **{name: LABELS.get(name, name) for name in voted if name in found},
        }

    @property
    def rows(self) -> list[str]:
        """Labels of the rows that were asked for."""
        return [row for row in self.spec.rows if row in (self.asked or self.spec.rows)]

    def figure(self, row: str, column: str, metric: str, epoch: str) -> Figure | None:
        """Return one metric of one cell, None if there is no run of it."""
        key = (row, column, metric, epoch)
        for figure in self.figures:
            if (figure.row, figure.column, figure.metric, figure.epoch) == key:
                return figure
        return None

    def sentences(self) -> list[str]:
        """Return what paired tests say of each row against the table's reference, at the last
        epoch, for the seeds that both have. Rows that were tested on other shapes, such as another
        layout of the data set, are named as not comparable.
        """
        found = []
        for column, words in self.spec.columns.items():
            reference = self.work_dirs.get((self.spec.reference, column), {})
            for row in self.rows:
                runs = self.work_dirs.get((row, column), {})
                both = sorted(runs.keys() & reference.keys())
                pairs = [(runs[seed], reference[seed]) for seed in both]
                files = [predictions_file(folder) for pair in pairs for folder in pair]
                if row == self.spec.reference or not files or not all(f.is_file() for f in files):
                    continue
                ours, theirs = zip(*[[read_predictions(run) for run in pair] for pair in pairs])
                try:
                    check_same_shapes([*ours, *theirs])
                except DataError:
                    text = f'{row} and {self.spec.reference}: other test shapes, so no paired test.'
                else:
                    right = [np.stack([run.right for run in model]) for model in (ours, theirs)]
                    text = sentence(compare_right(*right), row, self.spec.reference)
                found.append(f'{words}: {text}' if words else text)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return dict(
            title=self.spec.title,
            note=self.spec.note,
            source=self.spec.source,
            selection=RULE,
            seeds=list(self.seeds),
            published={
                f'{row} | {column}': cell.published
                for (row, column), cell in self.spec.cells.items()
                if cell.published and row in self.rows
            },
            figures=[
                dict(
                    row=figure.row,
                    column=figure.column,
                    metric=figure.metric,
                    epoch=EPOCHS[figure.epoch],
                    mean=figure.mean,
                    std=figure.std,
                    values={str(seed): value for seed, value in figure.values.items()},
                )
                for figure in self.figures
            ],
            comparisons=self.sentences() if self.spec.reference else [],
            commands={str(unit): unit.command() for unit in self.units},
            failed=self.failed,
        )
