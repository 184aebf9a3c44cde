"""What the two corruption suites share: a test split, a mark of who made the files, and
normalisation only when asked.
"""

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset, Records
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.corruptions import SUITES
from pcdet_kd.datasets.files import require_directory
from pcdet_kd.utils.errors import DataError

RENORMALIZE = ('none', 'sphere', 'box+sphere')
MARK = 'generated.json'
TITLES = {
    'modelnet40-c': 'ModelNet40-C',
    'modelnet-c': 'ModelNet-C',
}  # easily confused, so said in full


class CorruptedDataset(PointCloudDataset):
    """Base of :class:`ModelNet40C` and :class:`ModelNetC`: one corrupted set, as it is in the file.

    No cloud is left out, reordered, subsampled or, by itself, normalised: the numbers of points
    differ between sets, and a model must take any.

    Args:
        data_root: Directory of the files.
        corruption: Name of the corruption, or of the clean set.
        severity: As the suite counts; ignored for the clean set.
        renormalize: ``'none'``: the official protocol. ``'sphere'``: centre at the mean and scale
            to the unit sphere; ``'box+sphere'``: the box to [-1, 1] first (what the loaders of
            JGEKD's later code do to PointCloud-C and to ModelNet40-C). State it with every score.
        split: ``'test'``; there is no other.
        pipeline, test_mode, metainfo, indices: See :class:`PointCloudDataset`.

    Raises:
        ValueError: Another suite's corruption (the two are easily confused), an unknown one, or
            another split.
        DataError: A file is missing, truncated, or doesn't belong together with the labels.
    """

    METAINFO = dict(classes=MODELNET40, up_axis='y', task='classification')
    suite: str
    clean: str

    def __init__(
        self,
        data_root: str,
        corruption: str,
        severity: int = 0,
        renormalize: str = 'none',
        split: str = 'test',
        pipeline: Sequence = (),
        test_mode: bool = True,
        metainfo: dict | None = None,
        indices: int | Sequence[int] | None = None,
    ) -> None:
        if split != 'test':
            raise ValueError(f"split is '{split}': {type(self).__name__} is a test set")
        if renormalize not in RENORMALIZE:
            raise ValueError(
                f"renormalize is '{renormalize}', must be one of {', '.join(RENORMALIZE)}"
            )
        suite = SUITES[self.suite]
        if corruption != self.clean and corruption not in suite.corruptions:
            other = next((s for s in SUITES.values() if corruption in s.corruptions), None)
            belongs = f'; it belongs to {TITLES[other.name]}' if other else ''
            raise ValueError(
                f"corruption is '{corruption}', which {TITLES[suite.name]} doesn't have{belongs}; "
                'it has '
                f'{", ".join(suite.corruptions)}, and {self.clean}'
            )
        if corruption != self.clean and severity not in suite.severities:
            raise ValueError(
                f'severity is {severity}, {TITLES[suite.name]} counts {suite.severities[0]} to '
                f'{suite.severities[-1]}'
            )
        self.corruption = corruption
        self.severity = severity
        self.renormalize = renormalize
        super().__init__(
            data_root=data_root,
            split=split,
            pipeline=pipeline,
            test_mode=test_mode,
            metainfo=metainfo,
            indices=indices,
        )

    @property
    def provenance(self) -> str:
        """Who made the files: the generator's mark beside them, or that there is none."""
        return provenance_of(self.data_root)

    @property
    def file_name(self) -> str:
        """Name of the file of this set."""
        suite = SUITES[self.suite]
        return (
            suite.clean
            if self.corruption == self.clean
            else suite.file_name(self.corruption, self.severity)
        )

    @abstractmethod
    def read(self, root: Path) -> tuple[np.ndarray, np.ndarray, Path]:
        """Return the points (M, N, 3), the labels (M,) and the file."""

    def load_records(self) -> Records:
        points, labels, path = self.read(require_directory(self.data_root, self.files, self.fix))
        if not np.isfinite(points).all():
            raise DataError(path, 'NaN or infinite coordinates', 'finite numbers', self.fix)
        points = renormalized(points.astype(np.float32), self.renormalize)
        return Records(
            points, labels, [f'test/{i:04d}' for i in range(len(labels))], source=str(path)
        )


def provenance_of(data_root: str | Path) -> str:
    """Return in words who made a suite's files.

    Raises:
        DataError: The mark can't be read.
    """
    mark = Path(data_root).expanduser() / MARK
    if not mark.is_file():
        return 'files without a mark of pcdet_kd: the official ones, if that is what was downloaded'
    try:
        content: dict[str, Any] = json.loads(mark.read_text(encoding='utf-8'))
        return (
            f'generated by pcdet_kd (generator {content["version"]}, seed {content["seed"]}, from '
            f'{content["source"]}): not the official files'
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            mark,
            f'no mark of the generator ({error})',
            'JSON with version, seed and source',
            'generate the set again: pcdet-kd corrupt',
        ) from error


def renormalized(points: np.ndarray, how: str) -> np.ndarray:
    """Return clouds (M, N, 3) normalised each by itself; see :class:`CorruptedDataset`."""
    if how == 'none':
        return points
    if how == 'box+sphere':
        low, high = points.min(1, keepdims=True), points.max(1, keepdims=True)
        points = (
            (points - (low + high) / 2) * 2 / np.maximum((high - low).max(2, keepdims=True), 1e-12)
        )
    points = points - points.mean(1, keepdims=True)
    return points / np.maximum(np.linalg.norm(points, axis=2).max(1)[:, None, None], 1e-12)
