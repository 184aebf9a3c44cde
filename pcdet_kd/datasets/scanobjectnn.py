"""ScanObjectNN: 15 classes of real indoor scans."""

from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import SCANOBJECTNN
from pcdet_kd.datasets.files import read_h5, read_labels, require_directory
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.arguments import check_choice

VARIANTS = {
    'OBJ_ONLY': 'objectdataset.h5',
    'OBJ_BG': 'objectdataset.h5',
    'PB_T25': 'objectdataset_augmented25_norot.h5',
    'PB_T25_R': 'objectdataset_augmented25rot.h5',
    'PB_T50_R': 'objectdataset_augmentedrot.h5',
    'PB_T50_RS': 'objectdataset_augmentedrot_scale75.h5',
}


def scanobjectnn_file(variant: str, split: str, background: bool | None = None) -> Path:
    """Return a variant's file, relative to the data root, as in the official ``h5_files`` archive.

    Args:
        variant: One of ``OBJ_ONLY, OBJ_BG, PB_T25, PB_T25_R, PB_T50_R, PB_T50_RS``.
        split: ``'train'`` or ``'test'``.
        background: None: as the variant is defined (all but ``OBJ_ONLY`` have background). False:
            the same objects without background points.

    Raises:
        ValueError: Unknown variant, or ``OBJ_ONLY`` with background (that is ``OBJ_BG``).
    """
    check_choice('variant', variant, VARIANTS)
    if variant == 'OBJ_ONLY' and background:
        raise ValueError(
            "variant 'OBJ_ONLY' has no background; the same objects with background are 'OBJ_BG'"
        )
    bare = variant == 'OBJ_ONLY' or background is False
    prefix = 'training' if split == 'train' else 'test'
    return Path('main_split_nobg' if bare else 'main_split') / f'{prefix}_{VARIANTS[variant]}'


@DATASETS.register_module()
class ScanObjectNN(PointCloudDataset):
    """ScanObjectNN (Uy et al., ICCV 2019), from the official HDF5 files.

    ``data_root`` is the directory that holds ``main_split`` and ``main_split_nobg``. Each file has
    ``data`` (n, 2048, 3), ``label`` (n,) and, in ``main_split``, ``mask`` (n, 2048): -1 for
    background, else the part or instance; where it is there, samples have ``mask`` (N,) int64. The
    y axis is up. Coordinates are as stored: neither centred nor normalised, and the order of the
    points is not a farthest-point order.

    ========== ============================================================ =========
    variant    what was done to the objects                                 has background
    ========== ============================================================ =========
    OBJ_ONLY   nothing                                                      no
    OBJ_BG     nothing                                                      yes
    PB_T25     box shifted by up to 25 % of its size                        yes
    PB_T25_R   the same, and rotated about the up axis                      yes
    PB_T50_R   shifted by up to 50 %, rotated                               yes
    PB_T50_RS  shifted by up to 50 %, rotated, scaled ("hardest")           yes
    ========== ============================================================ =========

    The official OBJ files hold 2,309 / 581 objects, PB_T50_RS holds 11,416 / 2,882 (train / test).

    Args:
        data_root: Directory of ``main_split`` and ``main_split_nobg``.
        variant: See the table.
        background: None: as in the table. False: the background-free version of a variant with
            background.
        options: Arguments of :class:`PointCloudDataset`. Note that ``PB`` variants hold several
            perturbed copies of an object, which a random validation split does not keep together.

    Raises:
        DataError: A file is missing or malformed.
    """

    METAINFO = dict(classes=SCANOBJECTNN, up_axis='y', task='classification')

    def __init__(
        self,
        data_root: str,
        variant: str = 'PB_T50_RS',
        background: bool | None = None,
        **options: Any,
    ) -> None:
        scanobjectnn_file(variant, 'train', background)
        self.variant = variant
        self.background = background
        super().__init__(
            data_root=data_root,
            **options,
        )

    def load_records(self) -> Records:
        relative = scanobjectnn_file(self.variant, self.official_split, self.background)
        root = Path(self.data_root).expanduser()
        files = ' and '.join(
            str(scanobjectnn_file(self.variant, split, self.background))
            for split in ('train', 'test')
        )
        fix = (
            'the official files: fill in the form at https://hkust-vgd.github.io/scanobjectnn/ '
            f'and unpack h5_files.zip, so that data_root holds {files}; generated data in the same '
            f'format: pcdet-kd synthetic-scans --out {root}'
        )
        if (root / 'h5_files' / relative.parent).is_dir():
            fix = f"data_root='{root / 'h5_files'}'"
        require_directory(root, files, fix)
        path = root / relative
        arrays = read_h5(path, dict(data=(None, None, 3), label=None), dict(mask=(None, None)), fix)
        points = arrays['data'].astype(np.float32, copy=False)
        labels = read_labels(path, arrays['label'], len(points), fix)
        extras = {'mask': arrays['mask'].astype(np.int64)} if 'mask' in arrays else {}
        name = self.variant + (
            '_nobg' if self.background is False and self.variant != 'OBJ_ONLY' else ''
        )
        ids = [f'{name}/{self.official_split}/{i:05d}' for i in range(len(points))]
        return Records(points, labels, ids, extras, source=str(path))
