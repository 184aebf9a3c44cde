"""Comparing models by what their runs predicted for the same test shapes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pcdet_kd.evaluation.paired_test import Difference, compare_right, sentence
from pcdet_kd.evaluation.predictions import Predictions, check_same_shapes, read_predictions


@dataclass(frozen=True)
class Comparison:
    """Models on the same test shapes.

    Attributes:
        which: Epoch of the work directories, ``last`` or ``best``.
        runs: Predictions of each model's runs.
        differences: Of each further model from the first.
    """

    which: str
    runs: dict[str, list[Predictions]]
    differences: dict[str, Difference]

    @property
    def reference(self) -> str:
        """The first model, with which the others are compared."""
        return next(iter(self.runs))

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per model: mean accuracy and standard deviation (n - 1) over runs."""
        rows = []
        for name, runs in self.runs.items():
            values = [run.accuracy for run in runs]
            std = float(np.std(values, ddof=1)) if len(values) > 1 else None
            rows.append(
                {'model': name, 'OA mean': float(np.mean(values)), 'std': std, 'runs': len(runs)}
            )
        return rows

    def counts(self) -> list[dict[str, Any]]:
        """Return one row per further model: how many shapes who has right; with several runs, the
        mean over pairs of runs.
        """
        rows = []
        for name, difference in self.differences.items():
            single = difference.runs == (1, 1)
            c = {k: round(v) if single else round(v, 1) for k, v in difference.counts.items()}
            only = {'only it': c['model'], f'only {self.reference}': c['reference']}
            rows.append({'right': name, 'both': c['both'], **only, 'neither': c['neither']})
        return rows

    def sentences(self) -> list[str]:
        """Return one sentence per further model."""
        return [sentence(d, name, self.reference) for name, d in self.differences.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return dict(
            epoch=self.which,
            reference=self.reference,
            models=[
                {**row, 'files': [str(run.file) for run in self.runs[row['model']]]}
                for row in self.rows()
            ],
            differences=[
                {'model': name, **asdict(d), 'sentence': sentence(d, name, self.reference)}
                for name, d in self.differences.items()
            ],
        )


def compare(models: Mapping[str, Sequence[str | os.PathLike]], which: str = 'last') -> Comparison:
    """Compare models with the first of them by their predictions.

    Args:
        models: Runs by the model's name: work directories, or files of predictions. Runs of two
            models with the same seeds, in the same order, give a paired t-test too.
        which: Epoch of work directories: ``last``, or ``best`` on the validation split.

    Raises:
        DataError: Predictions are missing, or two runs were not tested on the same shapes.
    """
    runs = {name: [read_predictions(run, which) for run in given] for name, given in models.items()}
    check_same_shapes([run for of_model in runs.values() for run in of_model])
    right = {name: np.stack([run.right for run in of_model]) for name, of_model in runs.items()}
    first, *others = right
    return Comparison(
        which, runs, {name: compare_right(right[name], right[first]) for name in others}
    )
