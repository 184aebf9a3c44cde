"""Rendered views on disk: written once, in parallel, each file atomically."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import file_sha256, remove_stale_temporaries, write_whole
from pcdet_kd.utils.processes import process_pool
from pcdet_kd.utils.progress import progress_bar
from pcdet_kd.views.mesh_renderer import MeshRenderer

VERSION = 1  # of the images: count up when equal settings give other pixels
RECORD = 'views.jsonl'
ReadMesh = Callable[[Path], tuple[np.ndarray, np.ndarray]]


class Filled(NamedTuple):
    """What :meth:`ViewCache.fill` did.

    Attributes:
        rendered: Names that were rendered now.
        kept: Names whose images existed already, for the same mesh file and the same settings.
        failed: Names, each with what is wrong with its file.
    """

    rendered: list[str]
    kept: list[str]
    failed: dict[str, str]


class ViewCache:
    """Renderings of meshes as ``<root>/<name>_001.png``, ``_002.png`` and so on, one file per view.

    This is the layout of RotationNet's and PointCMT's images. The folder also holds
    ``views.jsonl``: its first line has the settings of the renderer, each other line a name whose
    images are complete and the SHA-256 of its mesh file. A mesh whose file has changed is rendered
    again; other settings are an error.

    Args:
        root: The folder.
        renderer: Renders the images.
    """

    def __init__(self, root: str | os.PathLike, renderer: MeshRenderer) -> None:
        self.root = Path(root)
        self.renderer = renderer
        self.header = json.loads(json.dumps(dict(version=VERSION, settings=renderer.settings)))

    def paths(self, name: str) -> list[Path]:
        """Return the files of a name's views."""
        return [
            self.root / f'{name}_{view:03d}.png' for view in range(1, self.renderer.num_views + 1)
        ]

    def record(self) -> dict[str, str]:
        """Return the hash of the mesh file of every name that is complete.

        Raises:
            DataError: The record is malformed, or of other settings.
        """
        path = self.root / RECORD
        if not path.is_file():
            return {}
        header, done = read_record(path)
        if header != self.header:
            settings = header['settings'].items() | dict(version=header['version']).items()
            wanted = self.header['settings'].items() | dict(version=VERSION).items()
            raise DataError(
                path,
                f'images with {_listed(settings - wanted)}',
                f'images with {_listed(wanted - settings)}',
                'render into another folder, or use the settings of this one',
            )
        return done

    def fill(self, files: Mapping[str, Path], read: ReadMesh, workers: int = 1) -> Filled:
        """Render what is missing.

        A process that is killed leaves complete images only, and the same call resumes after them.
        A mesh that cannot be read or rendered does not stop the others.

        Args:
            files: Mesh file of each name. A name may have folders in it.
            read: Returns vertices and faces of a file; an importable function.
            workers: Processes; 1 renders in this one, with a thread per view.

        Returns:
            :class:`Filled`.

        Raises:
            DataError: The folder has images of other settings or of unknown origin, or a worker was
                killed.
        """
        done = self._open(files)
        filled = Filled([], [], {})
        work = partial(_render, self, read)
        with (
            open(self.root / RECORD, 'a', encoding='utf-8') as record,
            progress_bar(total=len(files), desc='Rendering views', unit='mesh') as bar,
        ):
            for name, digest, error in _each(
                work, [(name, path, done.get(name)) for name, path in files.items()], workers
            ):
                if error is not None:
                    filled.failed[name] = error
                elif digest is None:
                    filled.kept.append(name)
                else:
                    record.write(json.dumps(dict(name=name, mesh=digest)) + '\n')
                    record.flush()
                    filled.rendered.append(name)
                bar.update()
        return Filled(
            sorted(filled.rendered), sorted(filled.kept), dict(sorted(filled.failed.items()))
        )

    def _open(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Return the record; write its first line if there is none."""
        path = self.root / RECORD
        if not path.exists():
            strange = next((p for name in files for p in self.paths(name)[:1] if p.exists()), None)
            if strange is not None:
                raise DataError(
                    strange,
                    f'an image, but no {RECORD} in {self.root}',
                    'an empty folder, or one with earlier renderings of pcdet-kd',
                    'render into another folder',
                )
            write_whole(path, json.dumps(self.header) + '\n')
        done = self.record()
        if not path.read_bytes().endswith(b'\n'):
            with open(path, 'a', encoding='utf-8') as file:
                file.write('\n')
        for folder in {self.paths(name)[0].parent for name in files}:
            remove_stale_temporaries(folder)
        return done


def read_record(path: Path) -> tuple[dict, dict[str, str]]:
    """Return the header of a record and the hash of the mesh file of every name that is complete.

    Raises:
        DataError: The first line is not a header.
    """
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    try:
        header = json.loads(lines[0])
        hash((frozenset(header['settings'].items()), header['version']))
    except Exception as error:  # whatever was written there
        raise DataError(
            path,
            f'a first line that is not a header ({error!r})',
            'the version and the settings of a renderer',
            'render into another folder, or delete this one',
        ) from error
    done = {}
    for line in lines[1:]:
        try:
            entry = json.loads(line)
            done[entry['name']] = entry['mesh']
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # cut off when a process was killed: its mesh is rendered again
    return header, done


def _listed(settings: set) -> str:
    return ', '.join(f'{name}={value!r}' for name, value in sorted(settings, key=str))


def _render(
    cache: ViewCache, read: ReadMesh, job: tuple[str, Path, str | None]
) -> tuple[str, str | None, str | None]:
    """Render one mesh unless it is done. Return its name, the hash of its file (None: it was done)
    and an error or None.
    """
    import cv2

    name, path, done = job
    try:
        digest = file_sha256(path)
        paths = cache.paths(name)
        if digest == done and all(p.is_file() for p in paths):
            return name, None, None
        images = (cache.renderer(*read(path))[:, 0] * 255).round().to(torch.uint8).numpy()
        for file_path, image in zip(paths, images):
            write_whole(file_path, cv2.imencode('.png', image)[1].tobytes(), sync=False)
    except DataError as error:
        return name, None, str(error)
    except (ValueError, OSError) as error:
        return name, None, f'{path}\n  {error}'
    return name, digest, None


def _each(work: Callable, jobs: list, workers: int) -> Iterator:
    """Yield the results of all jobs as they come."""
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from map(work, jobs)
        return
    try:
        with process_pool(workers) as pool:
            for future in as_completed([pool.submit(work, job) for job in jobs]):
                yield future.result()
    except BrokenProcessPool as error:
        raise DataError(
            'a rendering process',
            'it was killed (perhaps out of memory)',
            'a process that finishes',
            'run the same command with fewer workers; finished images are kept',
        ) from error
