"""Recognising data sets by their files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pcdet_kd.datasets.cloud_store import PLAN, STORE
from pcdet_kd.datasets.files import read_json, read_lines
from pcdet_kd.datasets.point_cloud_folder import class_folders, is_split_first
from pcdet_kd.datasets.published import PUBLISHED, Published
from pcdet_kd.datasets.readers import SUFFIXES
from pcdet_kd.datasets.scanobjectnn import VARIANTS, scanobjectnn_file
from pcdet_kd.datasets.shapenet_part import H5_LIST
from pcdet_kd.datasets.suites import MARK, SUITES

_OWN = dict(PointCloudFolder='own clouds, a folder per class', PointStore='a store of clouds')
_FIX = 'download the data set again'
_SPLITS = dict(train=dict(split='trainval'), test=dict(split='test'))


@dataclass(frozen=True)
class Place:
    """A data set in a folder.

    Attributes:
        root: The folder.
        kind: Registered data set that reads it.
        published: What is known of it; None for own data.
        splits: Arguments of the data set by the name of the part; all parts are looked at.
        files: Returns the files that should be there.
        others: Arguments of more parts, of which only the files are read.
    """

    root: Path
    kind: str
    published: Published | None
    splits: dict[str, dict[str, Any]]
    files: Callable[[], list[Path]] = field(compare=False)
    others: tuple[dict[str, Any], ...] = ()

    @property
    def title(self) -> str:
        """What to call it."""
        return self.published.title if self.published else _OWN[self.kind]


def find_places(root: Path) -> list[Place]:
    """Return the data sets in a folder: the folder itself, or those in the folders directly below
    it, in the order of their names.
    """
    if (own := published_in(root)) is not None:
        return [own]
    children = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith('.'))
    found = [place for child in children for place in _in_child(child)]
    if any(place.published for place in found) or not _is_folder_of_clouds(root):
        return found
    return [_own_folder(root)]


def _in_child(child: Path) -> Iterator[Place]:
    for folder in (child, child / 'h5_files'):
        if folder.is_dir() and (place := published_in(folder)) is not None:
            yield place
            return
    if _is_folder_of_clouds(child):
        yield _own_folder(child)


def published_in(root: Path) -> Place | None:
    """Return the data set whose files lie in a folder, None if it is none with a known layout."""
    suites = {'label.npy': 'modelnet40-c', 'clean.h5': 'modelnet-c', 'scale_0.h5': 'modelnet-c'}
    if (root / STORE).is_file() or (root / PLAN).is_file():
        return Place(root, 'PointStore', None, dict(all={}), lambda: [root / STORE])
    if (root / 'main_split').is_dir() or (root / 'main_split_nobg').is_dir():
        return _scanobjectnn(root)
    if (root / 'synsetoffset2category.txt').is_file():
        return _listed(root, 'shapenetpart', lambda: _part_files(root), val=True)
    if (root / H5_LIST.format('train')).is_file():
        names = [H5_LIST.format(split) for split in ('train', 'val', 'test')]
        return _listed(root, 'shapenetpart-h5', lambda: _h5_files(root, names), val=True)
    if (root / 'ShapeNet-55').is_dir():
        return _listed(root, 'shapenet55', lambda: _shapenet55_files(root))
    if (root / 'modelnet40_train.txt').is_file():
        return _listed(root, 'modelnet40-resampled', lambda: _resampled_files(root))
    for mark, suite in suites.items():
        if (root / mark).is_file():
            return _suite(root, suite)
    if (root / 'train_files.txt').is_file():
        name = 'scannet-cls' if _has_colours(root) else 'modelnet40'
        return _listed(root, name, lambda: _h5_files(root, ['train_files.txt', 'test_files.txt']))
    return None


def _listed(root: Path, name: str, files: Callable[[], list[Path]], val: bool = False) -> Place:
    splits = dict(_SPLITS)
    if val:
        splits = dict(train=dict(split='train'), val=dict(split='val'), test=dict(split='test'))
    return Place(root, PUBLISHED[name].kind, PUBLISHED[name], splits, files)


def _suite(root: Path, name: str) -> Place:
    suite, entry = SUITES[name], PUBLISHED[name]
    there = {found: (root / suite.file_name(*found)).is_file() for found in suite.sets}
    clean = dict(split='test', corruption='clean')
    others = tuple(
        dict(split='test', corruption=corruption, severity=severity)
        for (corruption, severity), is_there in there.items()
        if is_there and corruption != 'clean'
    )
    names = suite.file_names()
    if (root / MARK).is_file() and not there[suite.sets[0]]:
        names = [file for file in names if file != suite.clean]
    splits = dict(test=clean) if there[suite.sets[0]] else {}
    return Place(root, entry.kind, entry, splits, lambda: [root / file for file in names], others)


def _scanobjectnn(root: Path) -> Place:
    files, splits = [], {}
    for variant in VARIANTS:
        pair = {s: scanobjectnn_file(variant, s) for s in ('train', 'test')}
        if any((root / file).is_file() for file in pair.values()):
            files += [root / file for file in pair.values()]
            for split, arguments in _SPLITS.items():
                splits[f'{variant} {split}'] = dict(arguments, variant=variant)
    entry = PUBLISHED['scanobjectnn']
    return Place(root, entry.kind, entry, splits, lambda: files)


def _has_colours(root: Path) -> bool:
    """Whether the files are those of ScanNetCls: ``train_0.h5``, and not ``ply_data_train0.h5``."""
    text = (root / 'train_files.txt').read_text(encoding='utf-8', errors='replace')
    first = next((line.strip() for line in text.splitlines() if line.strip()), '')
    return PurePosixPath(first).name.startswith('train_')


def _h5_files(root: Path, listings: list[str]) -> list[Path]:
    found = []
    for listing in listings:
        lines = read_lines(root / listing, 'the names of the h5 files, one a line', _FIX)
        found += [root / listing]
        found += [root / PurePosixPath(line.replace('\\', '/')).name for line in lines]
    return found


def _resampled_files(root: Path) -> list[Path]:
    found = [root / 'modelnet40_shape_names.txt']
    for split in ('train', 'test'):
        names = read_lines(root / f'modelnet40_{split}.txt', 'shape names, one a line', _FIX)
        found += [root / name.rpartition('_')[0] / f'{name}.txt' for name in names]
    return found


def _shapenet55_files(root: Path) -> list[Path]:
    lists = [root / 'ShapeNet-55' / f'{split}.txt' for split in ('train', 'test')]
    names = [name for file in lists for name in read_lines(file, 'names of npy files', _FIX)]
    return [*lists, *(root / 'shapenet_pc' / name for name in names)]


def _part_files(root: Path) -> list[Path]:
    found = []
    for split in ('train', 'val', 'test'):
        listing = root / 'train_test_split' / f'shuffled_{split}_file_list.json'
        names = read_json(listing, 'a list of names', _FIX)
        found += [root / f'{str(name).removeprefix("shape_data/")}.txt' for name in names]
    return found


def _is_folder_of_clouds(root: Path) -> bool:
    """Whether class folders directly below hold files of clouds or meshes."""
    parents = [root / s for s in ('train', 'test')] if is_split_first(root) else [root]
    for name in class_folders(root):
        for folder in (p / name for p in parents):
            inside = [folder, folder / 'train', folder / 'test']
            if any(map(_readable, (f for f in inside if f.is_dir()))):
                return True
    return False


def _readable(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in SUFFIXES)


def _own_folder(root: Path) -> Place:
    """Return a folder of own clouds; its up axis is not known, z stands for it."""
    has_test = any(root.glob('test/*/*')) or any(root.glob('*/test/*'))
    splits = {s: dict(a, up_axis='z') for s, a in _SPLITS.items() if has_test or s == 'train'}
    return Place(root, 'PointCloudFolder', None, splits, lambda: _all_readable(root))


def _all_readable(root: Path) -> list[Path]:
    return [p for p in sorted(root.rglob('*')) if p.suffix.lower() in SUFFIXES and p.is_file()]
