"""ScanObjectNN's file layout, for tools that read only this layout."""

from pathlib import Path

import numpy as np

from pcdet_kd.utils.files import atomic_write

FILES = {
    'OBJ_ONLY': ('main_split_nobg', 'objectdataset.h5'),
    'OBJ_BG': ('main_split', 'objectdataset.h5'),
    'PB_T50_RS': ('main_split', 'objectdataset_augmentedrot_scale75.h5'),
}


def write_scanobjectnn(
    root: str | Path,
    variant: str,
    split: str,
    points: np.ndarray,
    labels: np.ndarray,
    mask: np.ndarray,
) -> Path:
    """Write one file ``<root>/<folder>/{training,test}_<suffix>`` as ScanObjectNN's authors laid it
    out.

    Keys: ``data`` (M, N, 3) float32, ``label`` (M,) int32 and, except for OBJ_ONLY, ``mask`` (M, N)
    int32, -1 for background and a part number for the object. The official files have N = 2048.

    Args:
        root: Directory that gets the folder.
        variant: A key of :data:`FILES`.
        split: ``'train'`` or ``'test'``.
        points: (M, N, 3).
        labels: (M,).
        mask: (M, N).

    Returns:
        The file. It is written atomically; an older one of the same name is replaced.
    """
    import h5py

    folder, suffix = FILES[variant]
    path = Path(root) / folder / f'{"training" if split == "train" else "test"}_{suffix}'
    with atomic_write(path) as target, h5py.File(target, 'w') as file:
        file['data'] = np.asarray(points, np.float32)
        file['label'] = np.asarray(labels, np.int32)
        if variant != 'OBJ_ONLY':
            file['mask'] = np.asarray(mask, np.int32)
    return path
