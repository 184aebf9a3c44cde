"""Where the clouds of a store come from: a folder of files, or a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.checks import fault_of
from pcdet_kd.datasets.files import require_directory
from pcdet_kd.datasets.readers import SUFFIXES, read_points
from pcdet_kd.utils.errors import DataError


@dataclass
class FolderSource:
    """Clouds and meshes below a folder; see :func:`folder_source`.

    Attributes:
        root: The folder.
        names: Paths of the files in it, sorted.
        labels: Class of each file; None: no classes.
        classes: Names of the classes.
        up_axis: The axis that points up.
        columns, mesh_points: See :func:`~pcdet_kd.datasets.readers.read_points`.
    """

    root: Path
    names: list[str]
    labels: Sequence[int] | None
    classes: list[str] | None
    up_axis: str
    columns: Sequence[str] | None
    mesh_points: int

    def read(self, i: int) -> np.ndarray:
        """Return the points (N, 3) float32 of a file.

        Raises:
            DataError: The file cannot be read.
        """
        return read_points(self.root / self.names[i], self.columns, self.mesh_points)['points']


class DatasetSource:
    """The clouds of a data set, without its transforms.

    Args:
        dataset: The data set.
    """

    def __init__(self, dataset: PointCloudDataset) -> None:
        self.dataset = dataset
        self.names = [entry['sample_id'] for entry in dataset.data_list]
        self.classes = list(dataset.metainfo['classes']) or None
        self.labels = dataset.labels() if self.classes else None
        self.up_axis = dataset.metainfo['up_axis']

    def read(self, i: int) -> np.ndarray:
        """Return the points (N, 3) float32 of a sample."""
        return self.dataset.get_data_info(i)['points']


def folder_source(
    root: str | Path,
    up_axis: str,
    pattern: str = '**/*',
    classes_from_folders: bool = False,
    columns: Sequence[str] | None = None,
    mesh_points: int = 16384,
) -> FolderSource:
    """Find the files of known formats below a folder. Hidden files are skipped.

    Args:
        root: The folder.
        up_axis: The axis that points up in the files.
        pattern: Which files, relative to the folder: ``'*/*/models/model_normalized.obj'``.
        classes_from_folders: The first folder of a file's path is its class.
        columns, mesh_points: See :func:`~pcdet_kd.datasets.readers.read_points`.

    Raises:
        DataError: No such folder, no file in it, or a file outside a class folder.
    """
    root = require_directory(root, 'clouds or meshes', 'check the path')
    paths = [path.relative_to(root) for path in root.glob(pattern)]
    names = sorted(
        path.as_posix()
        for path in paths
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith('.') for part in path.parts)
        and (root / path).is_file()
    )
    if not names:
        raise DataError(
            root,
            f"no file for the pattern '{pattern}'",
            f'files {", ".join(SUFFIXES)}',
            'check the path and --pattern',
        )
    if not classes_from_folders:
        return FolderSource(root, names, None, None, up_axis, columns, mesh_points)
    for name in names:
        if '/' not in name:
            raise DataError(
                root / name,
                'a file outside a class folder',
                '<class>/<file>',
                'move it, or leave --classes out',
            )
    classes = sorted({name.partition('/')[0] for name in names})
    number = {name: i for i, name in enumerate(classes)}
    labels = [number[name.partition('/')[0]] for name in names]
    return FolderSource(root, names, labels, classes, up_axis, columns, mesh_points)


def read_checked(
    source: FolderSource | DatasetSource, min_points: int, i: int
) -> tuple[np.ndarray | None, str]:
    """Return the points of an item and '', or None and why it is left out."""
    try:
        points = source.read(i)
    except DataError as error:
        return None, str(error.args[1])
    if len(points) < min_points:
        return None, f'{len(points)} points, fewer than {min_points}'
    fault = fault_of(points, allow_degenerate=False)
    return (None, fault[0]) if fault else (points, '')
