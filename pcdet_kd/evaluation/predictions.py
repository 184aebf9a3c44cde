"""A run's predictions on its test split, as :class:`PointAccuracy` writes them down."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.utils.errors import DataError

_FIELDS = ('sample_id', 'gt', 'pred', 'score')


def predictions_file(work_dir: str | Path, which: str = 'last') -> Path:
    """Return the file that training leaves of the ``last`` or the validation-``best`` epoch."""
    return Path(work_dir) / f'predictions_{which}.json'


@dataclass(frozen=True)
class Predictions:
    """What one run predicted for each of its n test shapes.

    Attributes:
        file: Where they were read from.
        classes: Names of the K classes.
        ids: Names of the shapes.
        gt: True classes, (n,) int64.
        pred: Predicted classes, (n,) int64.
        score: Probabilities of the predicted classes, (n,) float64.
    """

    file: Path
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    gt: np.ndarray
    pred: np.ndarray
    score: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Which shapes were classified correctly, (n,) bool."""
        return self.pred == self.gt

    @property
    def accuracy(self) -> float:
        """Overall accuracy in percent."""
        return 100 * int(self.right.sum()) / len(self.right)


def read_predictions(run: str | Path, which: str = 'last') -> Predictions:
    """Read the predictions of a run.

    Args:
        run: A work directory, or a file of predictions.
        which: Epoch of a work directory, ``last`` or ``best``.

    Raises:
        DataError: There is no such file, or something else is in it.
    """
    run = Path(run).expanduser()
    file = predictions_file(run, which) if run.is_dir() else run
    expected = 'predictions of a test split (classes, and sample_id, gt, pred, score per shape)'
    fix = (
        'train the config again, which writes them, or write a file of predictions with '
        '`pcdet-kd test CONFIG CHECKPOINT --out FILE.json`'
    )
    if not file.is_file():
        raise DataError(file, 'no such file', expected, fix)
    try:
        content = json.loads(file.read_text(encoding='utf-8'))
        rows = [[row[name] for name in _FIELDS] for row in content['predictions']]
        ids, gt, pred, score = zip(*rows)
        return Predictions(
            file,
            tuple(map(str, content['classes'])),
            tuple(map(str, ids)),
            np.array(gt, np.int64),
            np.array(pred, np.int64),
            np.array(score, np.float64),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        found = f'{type(error).__name__}: {error}'
        raise DataError(file, found, expected, fix) from None


def check_same_shapes(runs: list[Predictions]) -> None:
    """Check that runs were tested on the same shapes in the same order, with the same labels.

    Raises:
        DataError: They differ; the first difference is named.
    """
    first = runs[0]
    for run in runs[1:]:
        difference = _difference(first, run)
        if difference:
            expected = f'the test shapes of {first.file}'
            fix = 'compare runs that were tested on the same split'
            raise DataError(run.file, difference, expected, fix)


def _difference(first: Predictions, run: Predictions) -> str:
    if run.classes != first.classes:
        i = next(_unequal(first.classes, run.classes), None)
        if i is not None:
            return f'class {i} is {run.classes[i]!r}, not {first.classes[i]!r}'
        return f'{len(run.classes)} classes, not {len(first.classes)}'
    for i in _unequal(first.ids, run.ids):
        return f'shape {i} is {run.ids[i]!r}, not {first.ids[i]!r}'
    if len(run.ids) != len(first.ids):
        return f'{len(run.ids)} shapes, not {len(first.ids)}'
    for i in _unequal(first.gt, run.gt):
        label, other = (str(x.classes[x.gt[i]]) for x in (run, first))
        return f'shape {i} ({run.ids[i]!r}) is labelled {label!r}, not {other!r}'
    return ''


def _unequal(one: Any, other: Any) -> Any:
    return (i for i, (a, b) in enumerate(zip(one, other)) if a != b)
