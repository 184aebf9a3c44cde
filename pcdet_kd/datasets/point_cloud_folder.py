"""Your own data: a folder of point-cloud or mesh files per class."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.files import require_directory
from pcdet_kd.datasets.readers import SUFFIXES, read_points
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS, did_you_mean
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.progress import progress_bar

_SPLIT_FOLDERS = ('train', 'test')
_LAYOUTS = (
    'folders root/<class>/<file>, root/<class>/{train,test}/<file> or '
    'root/{train,test}/<class>/<file>'
)


@DATASETS.register_module()
class PointCloudFolder(PointCloudDataset):
    """A folder per class: your own data without writing code.

    Layouts: ``root/{train,test}/<class>/<file>``, ``root/<class>/{train,test}/<file>``, or
    ``root/<class>/<file>`` without an official test part (then ``split='test'`` is an error;
    ``'trainval'`` is everything, ``'train'`` and ``'val'`` are parts of it). Files may be ply,
    pcd, las, laz, xyz, txt, csv, npy or npz clouds, or off, obj, stl, glb or ply meshes, from whose
    surface points are drawn (see :func:`~pcdet_kd.datasets.readers.read_points`). Hidden files are
    skipped; files with another suffix are skipped and named in the log. Clouds may differ in size:
    sample them to one size in the pipeline, or evaluate whole clouds with
    :class:`~pcdet_kd.datasets.samplers.SameSizeBatchSampler`. A sample's name is its path below
    ``data_root``.

    With ``labels=0`` the root may hold the files themselves, without class folders: clouds without
    labels, for ``unlabelled`` of another data set.

    Args:
        data_root: The root folder.
        up_axis: Which axis points up in the files: ``'x'``, ``'y'`` or ``'z'``.
        classes: Class folders in label order; folders of other names are left out. None: all, in
            sorted order.
        with_normals: Whether samples have ``normals``; every file must then have them.
        with_rgb: Whether samples have ``rgb`` in [0, 1]; every file must then have it.
        columns: Column names of text and npy files, see ``read_points``.
        mesh_points: Points drawn from each mesh.
        metainfo: Overrides of the values that the arguments above give.
        options: More arguments of :class:`PointCloudDataset`.

    Raises:
        DataError: A folder is missing or empty, or a file is malformed.
    """

    METAINFO = dict(task='classification')

    def __init__(
        self,
        data_root: str,
        up_axis: str,
        classes: Sequence[str] | None = None,
        with_normals: bool = False,
        with_rgb: bool = False,
        columns: Sequence[str] | None = None,
        mesh_points: int = 2048,
        metainfo: dict | None = None,
        **options: Any,
    ) -> None:
        check_choice('up_axis', up_axis, ('x', 'y', 'z'))
        self.wanted = tuple(
            name for name, wanted in (('normals', with_normals), ('rgb', with_rgb)) if wanted
        )
        self.columns = columns
        self.mesh_points = mesh_points
        root = require_directory(data_root, _LAYOUTS, 'check data_root')
        present = class_folders(root)
        self.is_flat = not present and options.get('labels') == 0
        if not present and not self.is_flat:
            raise DataError(root, 'no class folder', _LAYOUTS, 'check data_root')
        for name in classes or ():
            if name not in present:
                raise DataError(
                    root / name,
                    'no such class folder',
                    f'a folder for each of {", ".join(classes)}',
                    f'create it, or correct classes.{did_you_mean(name, present)}',
                )
        names = (
            classes or present or (root.name,)
        )  # nothing is said of the classes of a flat folder
        meta = {'classes': tuple(names), 'up_axis': up_axis, **(metainfo or {})}
        super().__init__(data_root=data_root, metainfo=meta, **options)

    @classmethod
    def class_names(cls, config: Mapping[str, Any]) -> Sequence[str] | None:
        root = Path(config.get('data_root', '')).expanduser()
        present = class_folders(root) if root.is_dir() else None
        return super().class_names(config) or config.get('classes') or present or None

    def load_records(self) -> Records:
        root = Path(self.data_root).expanduser()
        found = [
            (path, label)
            for label, name in enumerate(self.metainfo['classes'])
            for path in self._files(root, name)
        ]
        clouds = [
            read_points(path, self.columns, self.mesh_points)
            for path, _ in progress_bar(
                found, desc=f'Reading {self.official_split} files', unit='file'
            )
        ]
        for name in self.wanted:
            for (path, _), cloud in zip(found, clouds):
                if name not in cloud:
                    raise DataError(
                        path,
                        f'no {name}',
                        f'{name}, because with_{name}=True',
                        f'pass with_{name}=False, or columns=(...) if the file has them',
                    )
        return Records(
            [cloud['points'] for cloud in clouds],
            np.array([label for _, label in found], dtype=np.int64),
            [path.relative_to(root).as_posix() for path, _ in found],
            {name: [cloud[name] for cloud in clouds] for name in self.wanted},
            source=str(root),
        )

    def _files(self, root: Path, name: str) -> list[Path]:
        """Return the files of one class in the official split, sorted; at least one."""
        by_split = is_split_first(root)
        if self.is_flat:
            return self._readable(root)
        folder = root / self.official_split / name if by_split else root / name
        if not by_split and any((folder / split).is_dir() for split in _SPLIT_FOLDERS):
            folder = folder / self.official_split
        elif not by_split and self.split == 'test':
            raise DataError(
                folder,
                "no folder 'test', so no official test part",
                _LAYOUTS,
                "move test files to a folder 'test', or pass split='trainval' to test on all files",
            )
        require_directory(
            folder,
            f'point-cloud files of class {name}',
            'add the folder, or remove the class from classes',
        )
        return self._readable(folder)

    @staticmethod
    def _readable(folder: Path) -> list[Path]:
        """Return the point-cloud files of a folder, sorted; at least one."""
        files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith('.'))
        readable = [p for p in files if p.suffix.lower() in SUFFIXES]
        if not readable:
            raise DataError(
                folder,
                f'{len(files)} files, none of a known format',
                f'files {", ".join(SUFFIXES)}',
                'add files, or remove the class from classes',
            )
        if len(readable) < len(files):
            others = [p.name for p in files if p not in readable]
            print_log(
                f'{folder}: {len(others)} files are not point clouds and are skipped: '
                f'{", ".join(others[:5])}',
                logger='current',
                level=logging.WARNING,
            )
        return readable


def is_split_first(root: Path) -> bool:
    """Return whether ``root`` holds ``train`` or ``test`` folders with class folders in them."""
    return any(
        (root / split).is_dir() and any(p.is_dir() for p in (root / split).iterdir())
        for split in _SPLIT_FOLDERS
    )


def class_folders(root: Path) -> list[str]:
    """Return the names of the class folders of either layout, sorted."""
    parents = (
        [root / split for split in _SPLIT_FOLDERS if (root / split).is_dir()]
        if is_split_first(root)
        else [root]
    )
    return sorted(
        {
            p.name
            for parent in parents
            for p in parent.iterdir()
            if p.is_dir() and not p.name.startswith('.')
        }
    )
