"""ModelNet40 as 2,048 points per shape (PointNet's HDF5 files)."""

from pathlib import Path

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.files import read_lines, read_listed_h5, require_directory
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError

URL = 'https://shapenet.cs.stanford.edu/media/modelnet40_ply_hdf5_2048.zip'


@DATASETS.register_module()
class ModelNet40(PointCloudDataset):
    """ModelNet40 (Wu et al., CVPR 2015) in the layout ``modelnet40_ply_hdf5_2048`` (Qi et al.,
    PointNet, CVPR 2017).

    ``data_root`` holds ``train_files.txt``, ``test_files.txt`` and the ``ply_data_*.h5`` files that
    they list, each with ``data`` (n, N, 3), ``label`` (n, 1) and optionally ``normal`` (n, N, 3).
    Files are read in the order of the list, by the last part of each listed path; other files are
    not read. The official archive holds 9,840 training and 2,468 test shapes
    (not 9,843) of 2,048 points in a unit sphere, y up; its first k points are a good coarse cloud
    of the shape. Samples have ``normals`` where every file has them. ``shape_names.txt`` must agree
    with the classes if it is there.

    Args:
        data_root: Directory of the files.
        split, val_fraction, val_seed, pipeline, test_mode, metainfo, indices: See
            :class:`PointCloudDataset`.

    Raises:
        DataError: A file is missing or malformed, or the files do not match each other.
    """

    METAINFO = dict(classes=MODELNET40, up_axis='y', task='classification')

    def load_records(self) -> Records:
        root = Path(self.data_root).expanduser()
        fix = (
            f'pcdet-kd download modelnet40 ({URL}, or a mirror), then '
            'data_root=<path>/modelnet40_ply_hdf5_2048'
        )
        require_directory(
            root, 'train_files.txt, test_files.txt and the ply_data_*.h5 files that they list', fix
        )
        check_class_names(root / 'shape_names.txt', self.metainfo['classes'], fix)
        listing = root / f'{self.official_split}_files.txt'
        shapes = dict(data=(None, None, 3), label=None)
        arrays, ids = read_listed_h5(listing, shapes, dict(normal=(None, None, 3)), fix)
        extras = {}
        if 'normal' in arrays:
            extras['normals'] = arrays['normal'].astype(np.float32, copy=False)
        points = arrays['data'].astype(np.float32, copy=False)
        return Records(points, arrays['label'], ids, extras, source=str(listing))


def check_class_names(
    path: Path, classes: tuple[str, ...], fix: str, required: bool = False
) -> None:
    """Raise :class:`DataError` if a file of class names, one a line, differs from ``classes``.

    A missing file is an error only if ``required``.
    """
    if not required and not path.exists():
        return
    lines = read_lines(path, f'{len(classes)} class names, one a line', fix)
    if lines != list(classes):
        i = next(
            (i for i, (a, b) in enumerate(zip(lines, classes)) if a != b),
            min(len(lines), len(classes)),
        )
        found = f"class {i} is '{lines[i]}'" if i < len(lines) else f'{len(lines)} class names'
        wanted = f"'{classes[i]}'" if i < len(classes) else f'{len(classes)} class names'
        raise DataError(
            path, found, wanted, f'{fix}; or pass metainfo=dict(classes=[...]) for other classes'
        )
