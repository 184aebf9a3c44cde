"""ScanNetV2_cls: objects cut out of ScanNet's scenes."""

from pathlib import Path

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import SCANNET17
from pcdet_kd.datasets.files import read_listed_h5, require_directory
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS


@DATASETS.register_module()
class ScanNetCls(PointCloudDataset):
    """Objects of ScanNet (Dai et al., CVPR 2017) in 17 classes, in the layout of PointCNN's code.

    ``data_root`` holds ``train_files.txt``, ``test_files.txt`` and the files that they list
    (``./train_0.h5``), each with ``data`` (n, 2048, 6), xyz and colours minus 1/2, and ``label``
    (n,). The objects stand on y = 0 in metres, y up, and are not normalised. ``'test'`` is
    ScanNet's validation part; its hidden test has no labels. With ScanNet V2 PointCNN's script
    gives 12,060 and 3,416 objects; other versions of the scenes and of the label map give other
    numbers, so state them.

    ``tools/dataset_converters/scannet_cls.py`` makes these files from the scenes.

    Args:
        data_root: Directory of the files.
        split, val_fraction, val_seed, pipeline, test_mode, metainfo, indices: See
            :class:`PointCloudDataset`.

    Raises:
        DataError: A file is missing or malformed.
    """

    METAINFO = dict(classes=SCANNET17, up_axis='y', task='classification')

    def load_records(self) -> Records:
        root = Path(self.data_root).expanduser()
        fix = (
            'request access to ScanNet at github.com/ScanNet/ScanNet, then: python '
            'tools/dataset_converters/scannet_cls.py <scans> <labels.tsv> <splits> <out>'
        )
        require_directory(
            root, 'train_files.txt, test_files.txt and the h5 files that they list', fix
        )
        listing = root / f'{self.official_split}_files.txt'
        arrays, ids = read_listed_h5(listing, dict(data=(None, None, 6), label=None), {}, fix)
        data = arrays['data'].astype(np.float32)
        rgb = np.clip(data[..., 3:] + np.float32(0.5), 0, 1)
        points = np.ascontiguousarray(data[..., :3])
        return Records(points, arrays['label'], ids, dict(rgb=rgb), source=str(listing))
