"""What the data sets of the two corruption suites share: a test split, and normalisation only on
request.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.corruptions.geometry import radius_of
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.files import require_directory
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.suites import CLEAN, SUITES
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError

RENORMALIZE = ('none', 'sphere', 'box+sphere')


class CorruptedDataset(PointCloudDataset):
    """Base of :class:`ModelNet40C` and :class:`ModelNetC`: one corrupted set, as it is in the file.

    By default no cloud is left out, reordered, subsampled or normalised. The number of points
    differs between sets: a model must accept any number.

    Args:
        data_root: Directory of the files.
        corruption: Name of the corruption, or ``'clean'``.
        severity: A severity of the suite; ignored for the clean set.
        renormalize: ``'none'``: the official protocol. ``'sphere'``: centre at the mean and scale
            to the unit sphere; ``'box+sphere'``: the box to [-1, 1] first (what the loaders of
            JGEKD's later code do to PointCloud-C and to ModelNet40-C). Report it with every score.
        split: ``'test'``, the only one.
        options: Arguments of :class:`PointCloudDataset`.

    Raises:
        ValueError: Another suite's corruption (the two are easily confused), an unknown one, or
            another split.
        DataError: A file is missing, truncated, or does not match the labels.
    """

    METAINFO = dict(classes=MODELNET40, up_axis='y', task='classification')
    suite: str

    def __init__(
        self,
        data_root: str,
        corruption: str,
        severity: int = 0,
        renormalize: str = 'none',
        split: str = 'test',
        test_mode: bool = True,
        **options: Any,
    ) -> None:
        if split != 'test':
            raise ValueError(f"split is '{split}': {type(self).__name__} is a test set")
        check_choice('renormalize', renormalize, RENORMALIZE)
        suite = SUITES[self.suite]
        if corruption != CLEAN and corruption not in suite.corruptions:
            other = next((s for s in SUITES.values() if corruption in s.corruptions), None)
            belongs = f'; it belongs to {other.title}' if other else ''
            raise ValueError(
                f"corruption is '{corruption}', which {suite.title} does not have{belongs}; "
                'it has '
                f'{", ".join(suite.corruptions)}, and {CLEAN}'
            )
        if corruption != CLEAN and severity not in suite.severities:
            raise ValueError(
                f'severity is {severity}, must be {suite.severities[0]} to '
                f'{suite.severities[-1]} for {suite.title}'
            )
        self.corruption = corruption
        self.severity = severity
        self.renormalize = renormalize
        super().__init__(
            data_root=data_root,
            split=split,
            test_mode=test_mode,
            **options,
        )

    @property
    def file_name(self) -> str:
        """Name of the file of this set."""
        return SUITES[self.suite].file_name(self.corruption, self.severity)

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


def renormalized(points: np.ndarray, how: str) -> np.ndarray:
    """Return clouds (M, N, 3), each normalised on its own; see :class:`CorruptedDataset`."""
    if how == 'none':
        return points
    if how == 'box+sphere':
        low, high = points.min(1, keepdims=True), points.max(1, keepdims=True)
        points = (
            (points - (low + high) / 2) * 2 / np.maximum((high - low).max(2, keepdims=True), 1e-12)
        )
    points = points - points.mean(1, keepdims=True)
    return points / np.maximum(radius_of(points)[:, None, None], 1e-12)
