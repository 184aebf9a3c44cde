"""Generators of whole suites, in the published layouts, from any point-cloud data set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pcdet_kd.datasets.suites import SUITES, Suite
from pcdet_kd.registry import did_you_mean
from pcdet_kd.robustness.generation.mark import Mark
from pcdet_kd.robustness.generation.parallel import compute_chunks
from pcdet_kd.robustness.generation.sample import Maker
from pcdet_kd.robustness.generation.source import Source
from pcdet_kd.utils.arguments import check_at_least, check_choice
from pcdet_kd.utils.progress import progress_bar

GENERATOR_VERSION = 1  # one more whenever the same arguments give other clouds
_CHUNK = 32


@dataclass
class Generated:
    """What :func:`generate` did.

    Attributes:
        directory: Where the files are.
        written: Names of the new files.
        kept: Names of those that an earlier run had finished.
        left_out: Corruptions that need meshes where there are none.
    """

    directory: Path
    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def generate(
    suite: str,
    source: Source,
    out: str | Path,
    corruptions: Sequence[str] | None = None,
    severities: Sequence[int] | None = None,
    seed: int = 0,
    num_points: int = 1024,
    workers: int = 1,
) -> Generated:
    """Write corrupted sets, the clean set and the labels in the layout of a suite, and
    ``generated.json`` beside them.

    A cloud depends on the seed, the suite, the corruption, the severity, its name and itself;
    ModelNet40-C's choice of points is also shared by all clouds of a set, as in its authors' code.
    It does not depend on the number of processes, or on what else is generated. Files are written
    atomically; those that an earlier run finished are kept.

    ``generated.json`` holds ``suite``, ``generator``, ``version`` (of the generator), ``seed``,
    ``source`` and its ``fingerprint``, ``num_points``, ``num_samples``, and ``files`` with their
    SHA-256; a listed file that is not in the directory was being written when the generator
    stopped.

    Args:
        suite: ``'modelnet40-c'`` or ``'modelnet-c'``.
        source: The clean clouds; see :func:`~pcdet_kd.robustness.generation.source.source_of`.
        out: Directory of the files.
        corruptions: Names. None: all, or without meshes those that need no mesh.
        severities: None: all.
        seed: Another seed is another set.
        num_points: Points that are taken of each cloud, at random (ModelNet40-C) or the first
            (ModelNet-C); points repeat where a cloud has fewer. Both suites are made for 1,024.
        workers: Processes.

    Raises:
        ValueError: Unknown names or severities, or a corruption that was asked for by name and
            needs meshes.
        DataError: ``out`` holds files that are not this generator's, or were made with other
            arguments.
        SampleError: A cloud has too few points, or the camera sees nothing of a mesh.
    """
    check_choice('suite', suite, SUITES)
    check_at_least('num_points', num_points)
    table, count = SUITES[suite], len(source.labels)
    result = Generated(Path(out).expanduser())
    sets, result.left_out = _choose(table, source.mesh is not None, corruptions, severities)
    mark = Mark(
        result.directory,
        dict(
            suite=suite,
            version=GENERATOR_VERSION,
            seed=seed,
            source=source.name,
            fingerprint=source.fingerprint,
            num_points=num_points,
            num_samples=count,
        ),
    )
    jobs = {table.clean: None, **{table.file_name(*chosen): chosen for chosen in sets}}
    names = [table.labels, *jobs] if table.labels else [*jobs]
    done = mark.claim(names)
    result.kept = [name for name in names if name in done]
    result.written = [name for name in names if name not in done]
    labels = source.labels[:, None].astype(np.uint8 if source.labels.max() < 256 else np.int64)
    if table.labels in result.written:
        mark.write(table.labels, partial(np.save, arr=labels))
    left = [name for name in jobs if name not in done]
    tasks = [
        (jobs[name], range(i, min(i + _CHUNK, count)))
        for name in left
        for i in range(0, count, _CHUNK)
    ]
    chunks = compute_chunks(Maker(table, source, seed, num_points), tasks, workers)
    with progress_bar(total=count * len(left), desc=suite, unit='cloud') as bar:
        for name in left:
            bar.set_postfix_str(name, refresh=False)
            clouds = []
            while len(clouds) < count:
                chunk = next(chunks)
                clouds += chunk
                bar.update(len(chunk))
            mark.write(
                name,
                partial(_save, points=np.stack(clouds), labels=labels, as_h5=name.endswith('.h5')),
            )
    return result


def _choose(
    suite: Suite,
    with_meshes: bool,
    corruptions: Sequence[str] | None,
    severities: Sequence[int] | None,
) -> tuple[list[tuple[str, int]], list[str]]:
    """Return the sets to make, and the names of the corruptions that are left out because
    there are no meshes.
    """
    for name in corruptions or ():
        if name not in suite.corruptions:
            raise ValueError(
                f"{suite.name} has no corruption '{name}'; it has {', '.join(suite.corruptions)}."
                f'{did_you_mean(name, suite.corruptions)}'
            )
        if suite.corruptions[name].needs_mesh and not with_meshes:
            raise ValueError(f"'{name}' needs meshes: give their folder with --meshes (meshes=)")
    for severity in severities or ():
        if severity not in suite.severities:
            raise ValueError(
                f'severity is {severity}, must be {suite.severities[0]} to '
                f'{suite.severities[-1]} for {suite.name}'
            )
    wanted = [c for c in suite.corruptions.values() if corruptions is None or c.name in corruptions]
    left_out = [c.name for c in wanted if c.needs_mesh and not with_meshes]
    return [
        (c.name, s)
        for c in wanted
        if c.name not in left_out
        for s in suite.severities
        if severities is None or s in severities
    ], left_out


def _save(file: BinaryIO, points: np.ndarray, labels: np.ndarray, as_h5: bool) -> None:
    if not as_h5:
        np.save(file, points)
        return
    import h5py

    with h5py.File(file, 'w') as h5:
        h5['data'], h5['label'] = points, labels
