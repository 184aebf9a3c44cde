"""ModelNet-C (Ren et al., ICML 2022), and sets in its layout."""

from pathlib import Path

import numpy as np

from pcdet_kd.datasets.corrupted import CorruptedDataset
from pcdet_kd.datasets.files import read_h5, read_labels
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError


@DATASETS.register_module()
class ModelNetC(CorruptedDataset):
    """ModelNet-C of PointCloud-C (Ren et al., ICML 2022): 7 corruptions of the 2,468 test shapes at
    levels 0 to 4.

    Not to be confused with ModelNet40-C (:class:`ModelNet40C`). ``data_root`` holds ``clean.h5``
    and ``<corruption>_<level>.h5``, each with ``data`` (M, N, 3) and ``label`` (M, 1);
    ``corruption='clean'`` is the clean set. N is 256 to 1,524, by corruption and level.
    ScanObjectNN-C (Wang et al., AdaptPoint, ICCV 2023) has the same layout: pass its directory, and
    ``metainfo=dict(classes=[...])`` with ScanObjectNN's 15 classes.

    Args:
        data_root, corruption, severity, renormalize, split, pipeline, test_mode, metainfo, indices:
            See :class:`CorruptedDataset`; ``severity`` is the level.
    """

    suite = 'modelnet-c'
    files = 'clean.h5 and <corruption>_<level>.h5'
    fix = (
        'download modelnet_c from the links at github.com/jiawei-ren/ModelNet-C, or generate a '
        'similar set: pcdet-kd corrupt --suite modelnet-c'
    )

    def read(self, root: Path) -> tuple[np.ndarray, np.ndarray, Path]:
        if not (root / 'clean.h5').exists() and (root / 'label.npy').exists():
            raise DataError(
                root,
                'label.npy, so these are files of ModelNet40-C',
                self.files,
                "use type='ModelNet40C', or another data_root",
            )
        path = root / self.file_name
        arrays = read_h5(path, dict(data=(None, None, 3), label=None), {}, self.fix)
        points = arrays['data']
        if path.name != 'clean.h5' and (root / 'clean.h5').exists():
            count = len(read_h5(root / 'clean.h5', dict(label=None), {}, self.fix)['label'])
            if len(points) != count:
                raise DataError(
                    path, f'{len(points)} clouds', f'{count} clouds, as in clean.h5', self.fix
                )
        return points, read_labels(path, arrays['label'], len(points), self.fix), path
