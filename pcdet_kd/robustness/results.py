"""Results of one checkpoint on a corruption suite: one file per set, written atomically."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.files import read_json, read_npz, reading
from pcdet_kd.datasets.suites import CLEAN, SUITES, SetName
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import atomic_write, write_whole

RUN_FILE = 'run.json'
AGAIN = 'evaluate again: tools/test.py CONFIG CKPT --corruptions ...'


@dataclass
class SetResult:
    """Predictions on one set.

    Attributes:
        gt: (n,) int64 true classes, in the set's order.
        pred: (n,) int64 predicted classes.
        score: (n,) float32 probabilities of the predicted classes.
        true_score: (n,) float32 probabilities of the true classes.
        num_points: (n,) int64 points per cloud.
        worst: (w,) int64 positions of the most confident mistakes, see :func:`worst_mistakes`.
        clouds: Their points, (N_i, 3) float32 each, as the model saw them.
    """

    gt: np.ndarray
    pred: np.ndarray
    score: np.ndarray
    true_score: np.ndarray
    num_points: np.ndarray
    worst: np.ndarray
    clouds: list[np.ndarray]

    @property
    def correct(self) -> np.ndarray:
        """(n,) bool: which samples were classified correctly."""
        return self.pred == self.gt

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        arrays = {f'cloud_{i}': cloud for i, cloud in enumerate(self.clouds)}
        with atomic_write(path) as file:
            np.savez_compressed(
                file,
                gt=self.gt,
                pred=self.pred,
                score=self.score,
                true_score=self.true_score,
                num_points=self.num_points,
                worst=self.worst,
                **arrays,
            )

    @classmethod
    def read(cls, path: Path) -> 'SetResult':
        """Read a file.

        Raises:
            DataError: It is missing or damaged.
        """
        fix = f'delete it and {AGAIN}'
        arrays = read_npz(path, None, 'predictions on one set', fix)
        with reading(path, 'predictions on one set', fix):
            clouds = [arrays.pop(f'cloud_{i}') for i in range(len(arrays['worst']))]
            return cls(**arrays, clouds=clouds)


@dataclass
class SuiteResult:
    """Predictions of one checkpoint on a whole suite.

    Attributes:
        folder: Where they are.
        info: What was evaluated and how; see :func:`pcdet_kd.robustness.evaluate.evaluate_suite`.
        sets: Predictions by set. The clean set of ModelNet40-C may be missing, since its files can
            come without it.
    """

    folder: Path
    info: dict[str, Any]
    sets: dict[SetName, SetResult] = field(default_factory=dict)

    @property
    def suite(self) -> str:
        """Name of the suite."""
        return self.info['suite']

    @property
    def corruptions(self) -> list[str]:
        """Names of the corruptions, in the paper's order."""
        return list(dict.fromkeys(name for name, _ in self.sets if name != CLEAN))

    @classmethod
    def read(cls, folder: str | Path) -> 'SuiteResult':
        """Read a folder of results.

        Raises:
            DataError: It is not such a folder, the evaluation is not complete, or a file is
                damaged.
        """
        folder = Path(folder)
        info = read_info(folder)
        missing = [name for name in info['sets'] if not set_file(folder, name).is_file()]
        if missing:
            raise DataError(
                folder,
                f'{len(info["sets"]) - len(missing)} of {len(info["sets"])} sets',
                'a complete evaluation',
                'run the same command again: it resumes after the last finished set',
            )
        sets = {name: SetResult.read(set_file(folder, name)) for name in info['sets']}
        reference = next(iter(sets.values())).gt
        for name, result in sets.items():
            if not np.array_equal(result.gt, reference):
                raise DataError(
                    set_file(folder, name),
                    'other labels than in the other sets',
                    'the same shapes in all sets',
                    f'delete the folder and {AGAIN}',
                )
        return cls(folder, info, sets)


def set_file(folder: Path, name: SetName) -> Path:
    """Return the file of one set."""
    return folder / 'sets' / (f'{CLEAN}.npz' if name[0] == CLEAN else f'{name[0]}_{name[1]}.npz')


def write_info(folder: Path, info: dict[str, Any]) -> None:
    """Write what is evaluated and how; ``info['sets']`` maps each set to the fingerprint of its
    data.
    """
    sets = [[*name, print_] for name, print_ in info['sets'].items()]
    write_whole(folder / RUN_FILE, json.dumps(dict(info, sets=sets), indent=1))


def read_info(folder: Path) -> dict[str, Any]:
    """Read what :func:`write_info` wrote.

    Raises:
        DataError: It is not there, or damaged.
    """
    path = folder / RUN_FILE
    if not path.is_file():
        raise DataError(
            folder, f'no {RUN_FILE}', 'a folder of results on a corruption suite', AGAIN
        )
    fix = f'delete the folder and {AGAIN}'
    info = read_json(path, 'what was evaluated and how', fix)
    with reading(path, 'what was evaluated and how', fix):
        info['sets'] = {(name, severity): print_ for name, severity, print_ in info['sets']}
        return info | dict(suite=SUITES[info['suite']].name)


def worst_mistakes(
    gt: np.ndarray,
    pred: np.ndarray,
    score: np.ndarray,
    true_score: np.ndarray,
    clean: np.ndarray | None,
    count: int = 2,
) -> np.ndarray:
    """Return the positions of the most confident mistakes, worst first.

    Samples that were classified correctly before corruption come before the others, since it is the
    corruption that a report on robustness should show; then the smallest probability of the true
    class decides.

    Args:
        gt, pred, score, true_score: As in :class:`SetResult`.
        clean: (n,) whether the sample was classified correctly on the clean set; None if there is
            no such set.
        count: Largest number of positions.
    """
    wrong = np.flatnonzero(pred != gt)
    spared = np.ones(len(gt), bool) if clean is None else clean
    order = np.lexsort((wrong, -score[wrong], true_score[wrong], ~spared[wrong]))
    return wrong[order[:count]]
