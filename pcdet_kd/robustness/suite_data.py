"""The sets of a corruption suite for an evaluation: all are checked before it begins, then read one
after the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.corrupted import CorruptedDataset
from pcdet_kd.datasets.modelnet40c import ModelNet40C
from pcdet_kd.datasets.modelnetc import ModelNetC
from pcdet_kd.datasets.suites import CLEAN, MARK, SUITES, SetName, Suite
from pcdet_kd.datasets.transforms import CenterPoints, UnitBox, UnitSphere
from pcdet_kd.datasets.transforms.sampling import PointSampling
from pcdet_kd.registry import DATASETS, TRANSFORMS
from pcdet_kd.robustness.generation.mark import provenance_of
from pcdet_kd.utils.errors import DataError

OFFICIAL_CLOUDS = 2468
_DATASETS = {
    'modelnet40-c': ModelNet40C,
    'modelnet-c': ModelNetC,
}
_LEFT_OUT = (PointSampling, CenterPoints, UnitSphere, UnitBox)


@dataclass
class SuiteData:
    """Where a suite's files are and how they are prepared for a model.

    Args:
        suite: ``'modelnet40-c'`` or ``'modelnet-c'``.
        root: Directory of the files.
        renormalize: See :class:`CorruptedDataset`.
        pipeline: Transforms, the last of them packing; see :func:`suite_pipeline`.
        metainfo: Overrides of the data set's, for suites of other classes.
    """

    suite: str
    root: str
    renormalize: str = 'none'
    pipeline: Sequence[dict] = field(default_factory=lambda: [dict(type='PackPointInputs')])
    metainfo: Mapping[str, Any] | None = None

    def build(self, name: SetName, raw: bool = False) -> CorruptedDataset:
        """Return one set, read. ``raw``: as it is in the file, without transforms.

        Raises:
            DataError: A file is missing, damaged, or does not belong there.
        """
        cls = _DATASETS[self.suite]
        corruption, severity = name
        return cls(
            data_root=self.root,
            corruption=corruption,
            severity=severity,
            renormalize='none' if raw else self.renormalize,
            pipeline=() if raw else self.pipeline,
            metainfo=dict(self.metainfo) if self.metainfo else None,
        )


@dataclass
class SuiteContent:
    """What was found in a suite's directory.

    Attributes:
        sets: Fingerprint of the data by set.
        clouds: Samples per set.
        classes: Names of the classes.
        up_axis: Upright axis of the clouds.
        provenance: Who made the files.
        generated: Whether ``generated.json`` lists them.
        notes: What a reader of the scores should know.
    """

    sets: dict[SetName, str]
    clouds: int
    classes: list[str]
    up_axis: str
    provenance: str
    generated: bool
    notes: list[str]


def read_suite(data: SuiteData, done: Callable[[], None] = lambda: None) -> SuiteContent:
    """Read all files of a suite once, so that faulty files are found before the evaluation begins.

    Args:
        data: The suite.
        done: Called after each set.

    Raises:
        DataError: A file is missing or damaged, holds another number of clouds than the labels, or
            other shapes than the first one; or the files are of another suite.
    """
    suite, root = SUITES[data.suite], Path(data.root).expanduser()
    generated = (root / MARK).is_file()
    names, notes = _sets_that_count(suite, root, generated)
    first = data.build(names[0], raw=True)  # its message tells the suites apart
    files = {name: suite.file_name(*name) for name in names}
    missing = [file for file in files.values() if not (root / file).is_file()]
    if missing:
        more = f' and {len(missing) - 5} more' if len(missing) > 5 else ''
        raise DataError(
            root,
            f'{len(missing)} of {len(files)} files missing: {", ".join(missing[:5])}{more}',
            f'all files of {SUITES[data.suite].title}',
            first.fix,
        )
    labels, classes, sets, odd = first.labels(), list(first.metainfo['classes']), {}, []
    for name in names:
        dataset = data.build(name, raw=True)
        if not np.array_equal(dataset.labels(), labels):
            raise DataError(
                root / files[name],
                f'{len(dataset)} clouds with other labels than {files[names[0]]}',
                f'the same {len(labels)} shapes in every file, in the same order',
                dataset.fix,
            )
        sets[name] = dataset.fingerprint()
        if name[0] != CLEAN and dataset.records.points.shape[1] != suite.num_points(*name):
            odd.append(files[name])
        done()
    if not generated and len(labels) != OFFICIAL_CLOUDS:
        notes.append(
            f'The official files hold {OFFICIAL_CLOUDS:,} clouds, these hold {len(labels):,}: they '
            'are not the official files.'
        )
    if not generated and odd:
        notes.append(
            f'{len(odd)} files have clouds of other sizes than the official ones: '
            f'{", ".join(odd[:3])} ...'
        )
    return SuiteContent(
        sets, len(labels), classes, first.metainfo['up_axis'], provenance_of(root), generated, notes
    )


def _sets_that_count(suite: Suite, root: Path, generated: bool) -> tuple[list[SetName], list[str]]:
    """Return the sets to evaluate and notes on those that may be missing.

    Generated without meshes, ModelNet40-C has no occlusion and no lidar: a corruption of which
    there is no file is left out. The published files must be complete, except that ModelNet40-C may
    come without its clean set.
    """
    names, notes = suite.sets, []
    if (
        suite.labels is not None
        and (root / suite.labels).exists()
        and not (root / suite.clean).exists()
    ):
        names = names[1:]
        notes.append(
            f'{suite.clean} is not among the files, so there are no clean scores and no drop.'
        )
    if generated:
        absent = [
            c
            for c in suite.corruptions
            if not any((root / suite.file_name(c, s)).exists() for s in suite.severities)
        ]
        if absent and len(absent) < len(suite.corruptions):
            names = [name for name in names if name[0] not in absent]
            left = len(suite.corruptions) - len(absent)
            notes.append(
                f'Not among the files: {", ".join(absent)}. Means are over {left} of '
                f'{len(suite.corruptions)} corruptions.'
            )
    return names, notes


def suite_pipeline(transforms: Sequence[Mapping[str, Any]]) -> tuple[list[dict], list[str]]:
    """Return a test pipeline for corrupted clouds, and what had to be left out of the given one.

    Both suites are evaluated on whole clouds as they are in the files: transforms that choose
    points or normalise are left out. What the model's input consists of (heights, an up axis,
    views) stays.

    Args:
        transforms: Configs of a config's test pipeline.
    """
    kept, left_out = [], []
    for transform in transforms:
        kind = transform['type']
        cls = TRANSFORMS.get(kind) if isinstance(kind, str) else kind
        if isinstance(cls, type) and issubclass(cls, _LEFT_OUT):
            arguments = ', '.join(f'{k}={v!r}' for k, v in transform.items() if k != 'type')
            left_out.append(f'{cls.__name__}({arguments})')
        else:
            kept.append(dict(transform))
    return kept, left_out


def suite_metainfo(dataset: Mapping[str, Any], suite: str) -> dict[str, Any] | None:
    """Return the classes (and up axis) of a config's test set if they differ from those of the
    suite's official files, else None.
    """
    cls = DATASETS.get(dataset['type']) if isinstance(dataset['type'], str) else dataset['type']
    own = {**(getattr(cls, 'METAINFO', None) or {}), **(dataset.get('metainfo') or {})}
    usual = _DATASETS[suite].METAINFO
    changed = {
        key: own[key] for key in ('classes', 'up_axis') if key in own and own[key] != usual[key]
    }
    return changed if 'classes' in changed else None
