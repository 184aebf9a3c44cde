"""ModelNet40-C (Sun et al., 2022)."""

from pathlib import Path

import numpy as np

from pcdet_kd.datasets.corrupted import CorruptedDataset
from pcdet_kd.datasets.files import read_labels, read_npy
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError


@DATASETS.register_module()
class ModelNet40C(CorruptedDataset):
    """ModelNet40-C (Sun et al., arXiv 2201.12296): 15 corruptions of the 2,468 test shapes at
    severities 1 to 5.

    Not to be confused with ModelNet-C (:class:`ModelNetC`), which has other corruptions.
    ``data_root`` holds ``label.npy`` (M, 1) and ``data_<corruption>_<severity>.npy`` (M, N, 3);
    ``corruption='clean'`` is the clean set, ``data_original.npy``. N is 649 to 2,048, by
    corruption and severity.

    Args:
        data_root, corruption, severity, renormalize, split, pipeline, test_mode, metainfo, indices:
            See :class:`CorruptedDataset`.
    """

    suite = 'modelnet40-c'
    files = 'label.npy and data_<corruption>_<severity>.npy'
    fix = (
        'pcdet-kd download modelnet40-c (from zenodo.org/records/6017834), or generate a '
        'similar set: pcdet-kd corrupt --suite modelnet40-c'
    )

    def read(self, root: Path) -> tuple[np.ndarray, np.ndarray, Path]:
        if not (root / 'label.npy').exists() and (root / 'clean.h5').exists():
            raise DataError(
                root,
                'clean.h5, so these are files of ModelNet-C',
                self.files,
                "use type='ModelNetC', or another data_root",
            )
        name = self.file_name
        points = read_npy(root / name, 'floats (M, N, 3) in NumPy format', self.fix)
        if (
            points.ndim != 3
            or points.shape[2] != 3
            or 0 in points.shape
            or points.dtype.kind != 'f'
        ):
            raise DataError(
                root / name,
                f'an array {points.shape} of {points.dtype}',
                'floats (M, N, 3)',
                self.fix,
            )
        labels = read_npy(root / 'label.npy', 'labels (M, 1) in NumPy format', self.fix)
        if len(labels) != len(points):
            raise DataError(
                root / name,
                f'{len(points)} clouds',
                f'{len(labels)} clouds, one per label in label.npy',
                self.fix,
            )
        return points, read_labels(root / 'label.npy', labels, len(points), self.fix), root / name
