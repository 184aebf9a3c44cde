"""A config for a folder of one's own clouds."""

import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from pcdet_kd.datasets.point_cloud_folder import PointCloudFolder, class_folders, is_split_first
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.config_root import PREFIX, config_root
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.files import write_whole

IMAGES = 'images'  # as a teacher: a small multi-view network
METHODS = {
    'hinton': "type='LogitKD',\n    losses=dict(logit=dict(type='LogitKDLoss', temperature=1.0)),",
    'jgekd': "type='JGEKD',\n    losses=dict(graph=dict(type='JointGraphEntropyLoss', "
    "variant='entropy')),",
}
_NO_STUDENTS = ('mvcnn_resnet18', 'asymdsd_pretrain_s', 'asymdsd_pretrain_tiny')
_LEAST, _MOST = 64, 1024  # points of a cloud


@dataclass(frozen=True)
class OwnData:
    """What a folder holds, and the config for it.

    Attributes:
        classes: Number of training clouds by class.
        sizes: Smallest, median and largest number of points.
        num_points: Points that a model gets of each cloud.
        has_test: Whether there are test clouds.
        configs: The files that were written, the one to train last.
    """

    classes: dict[str, int]
    sizes: tuple[int, int, int]
    num_points: int
    has_test: bool
    configs: tuple[Path, ...]

    def text(self) -> str:
        """Return what was found, as lines for people."""
        counts = ', '.join(f'{name} {count}' for name, count in self.classes.items())
        split = (
            'tested on the test folders'
            if self.has_test
            else 'no test folder: a fifth of each class is kept for validation, and tested on'
        )
        return (
            f'{len(self.classes)} classes, {sum(self.classes.values())} training clouds: {counts}\n'
            f'{self.sizes[0]} to {self.sizes[2]} points, median {self.sizes[1]}: '
            f'{self.num_points} are used of each\n{split}\n'
            f'config: {self.configs[-1]} (edit it, and train it again with pcdet-kd train FILE)'
        )


def students() -> list[str]:
    """Return the names of the students that a folder of clouds can train."""
    files = (config_root() / 'configs/_base_/students').glob('*.py')
    return sorted(file.stem for file in files if file.stem not in _NO_STUDENTS)


def write_config(
    folder: str | os.PathLike,
    model: str,
    up_axis: str,
    teacher: str | None = None,
    method: str = 'jgekd',
    out: str | os.PathLike = 'work_dirs',
) -> OwnData:
    """Look at a folder of clouds and write a config that trains a model on it.

    Args:
        folder: The folder, see :class:`PointCloudFolder`.
        model: One of :func:`students`.
        up_axis: Axis that points up in the files.
        teacher: Another of them, or ``'images'``; None: the model is trained alone.
        method: With a teacher: one of ``METHODS``.
        out: Where to write; the runs are below it, too.

    Raises:
        UserError: The folder has no clouds, a name is unknown, or a config that is there already
            was changed.
    """
    known = students()
    for name, option in ((model, '--model'), (teacher, '--teacher')):
        allowed = [*known, IMAGES] if option == '--teacher' else known
        if name is not None and name not in allowed:
            hint = did_you_mean(name, allowed)
            raise ConfigError(option, [f"no '{name}'.{hint} There are: {', '.join(allowed)}"])
    if method not in METHODS:
        raise ConfigError('--method', [f"no '{method}'. There are: {', '.join(METHODS)}"])
    folder = Path(os.path.abspath(Path(folder).expanduser()))
    data = PointCloudFolder(data_root=str(folder), up_axis=up_axis, split='trainval')
    labels = data.labels()
    sizes = sorted(len(data.get_data_info(i)['points']) for i in range(len(data)))
    middle = int(statistics.median(sizes))
    num_points = min(max(2 ** (middle.bit_length() - 1), _LEAST), _MOST)
    names = data.metainfo['classes']
    if min((labels == i).sum() for i in range(len(names))) < 2:
        raise UserError(f'{folder}: every class needs at least two training clouds')
    has_test = _has_test(folder)
    where = Path(out, folder.name)
    common = dict(folder=folder, up_axis=up_axis, num_points=num_points, has_test=has_test)
    batch = max(2, min(32, len(sizes) // 8))
    files = []
    if teacher is not None:
        files.append(_write(where / f'{teacher}.py', _plain(teacher, where, batch, **common)))
        name, body = f'{model}_{method}', _distilled(teacher, method)
    else:
        name, body = model, 'model = _base_.student\n'
    text = _head('students/' + model, where / name, batch, **common) + body
    files.append(_write(where / f'{name}.py', text))
    counts = {name: int((labels == i).sum()) for i, name in enumerate(names)}
    return OwnData(counts, (sizes[0], middle, sizes[-1]), num_points, has_test, tuple(files))


def _has_test(folder: Path) -> bool:
    if is_split_first(folder):
        return (folder / 'test').is_dir()
    return all((folder / name / 'test').is_dir() for name in class_folders(folder))


def _head(
    part: str,
    work_dir: Path,
    batch: int,
    folder: Path,
    up_axis: str,
    num_points: int,
    has_test: bool,
) -> str:
    bases = (part, 'datasets/folder', 'schedules/adamw_cosine_25e')
    lines = [f"    '{PREFIX}_base_/{name}.py'," for name in (*bases,)]
    test = '' if has_test else "test_split = 'val'\nval_fraction = 0.2\n"
    return (
        '# Written by pcdet-kd train --data. Edit it, and train it with pcdet-kd train FILE.\n'
        + '\n'.join(['_base_ = [', *lines, f"    '{PREFIX}_base_/default_runtime.py',", ']\n'])
        + f'data_root = {str(folder)!r}\nup_axis = {up_axis!r}\nnum_points = {num_points}\n'
        + f'batch_size = {batch}\nnum_workers = 0\n{test}work_dir = {str(work_dir)!r}\n\n'
    )


def _plain(name: str, where: Path, batch: int, up_axis: str, **common: object) -> str:
    images = name == IMAGES
    part = 'teachers/mvcnn_resnet18_small' if images else f'students/{name}'
    text = _head(part, where / name, batch, up_axis=up_axis, **common)
    if not images:
        return text + 'model = _base_.student\n'
    views = f'model.data_preprocessor.views.up_axis = {up_axis!r}\n'
    return text + 'model = _base_.teacher\n' + views


def _distilled(teacher: str, method: str) -> str:
    return (
        f"requires = dict(teacher='{teacher}.py')\n\nmodel = dict(\n    {METHODS[method]}\n"
        '    student=_base_.student,\n    teachers=dict(\n        main=dict(\n'
        "            type='FeatureBank',\n            teacher=dict(type='FrozenTeacher', "
        "checkpoint='stage:teacher'),\n            data=_base_.bank_data,\n        )\n    ),\n)\n"
    )


def _write(path: Path, text: str) -> Path:
    if path.is_file() and path.read_text(encoding='utf-8') != text:
        raise UserError(
            f'{path} is there and is another config. Train it with: pcdet-kd train {path}; or '
            'remove it to have it written again'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    return path
