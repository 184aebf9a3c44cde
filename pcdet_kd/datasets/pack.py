"""Making a store of clouds: in parts, in parallel, on several machines, again after a kill."""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format
from tqdm import tqdm

from pcdet_kd.datasets.cloud_sources import DatasetSource, FolderSource, read_checked
from pcdet_kd.datasets.cloud_store import (
    DTYPES,
    FORMAT,
    INDEX,
    PLAN,
    STORE,
    encode,
    missing_shards,
    read_plan,
    read_report,
    shard_file,
)
from pcdet_kd.datasets.files import read_npz
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import atomic_write, remove_stale_temporaries
from pcdet_kd.utils.hashing import content_sha256
from pcdet_kd.utils.processes import process_pool
from pcdet_kd.utils.progress import progress_bar
from pcdet_kd.utils.stop import leave_signals_to_parent

LEFT_OUT = 'left_out.tsv'
_CHUNK = 8


@dataclass
class Packed:
    """What a call of :func:`pack` did.

    Attributes:
        root: The store.
        written: Shards that were written.
        kept: Shards of this call's part that were there already.
        missing: Shards that are still missing: those of other machines.
        clouds: Clouds in the whole store; None while shards are missing.
        left_out: Name of every item that was left out, and why, over the shards that are there.
    """

    root: Path
    written: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    clouds: int | None = None
    left_out: list[tuple[str, str]] = field(default_factory=list)


def pack(
    source: FolderSource | DatasetSource,
    root: str | Path,
    command: str,
    dtype: str = 'float32',
    clouds_per_shard: int = 1024,
    min_points: int = 1,
    part: tuple[int, int] = (1, 1),
    workers: int = 1,
) -> Packed:
    """Write clouds to a store, or the part of one that is still missing.

    Shards that are finished are kept. A shard is finished when its last, small file is there;
    every file gets its name when it is complete. The store can be read when all shards are
    finished, whoever has written them.

    Args:
        source: The clouds.
        root: Folder of the store; a new one, or one that was begun with the same arguments.
        command: What makes the missing shards, for messages.
        dtype: ``'float32'``, ``'float16'`` or ``'int16'``, see
            :func:`~pcdet_kd.datasets.cloud_store.encode`.
        clouds_per_shard: Items of the source in a shard, those left out included.
        min_points: A cloud of fewer points is left out.
        part: (i, n): write only every n-th shard, beginning with shard i - 1; for n machines.
        workers: Processes that read files.

    Raises:
        DataError: The folder holds a store of something else, or every item was left out.
    """
    root = Path(root).expanduser()
    plan = _begin(root, _plan(source, dtype, clouds_per_shard, min_points, command))
    missing = set(missing_shards(root, plan))
    mine = list(range(part[0] - 1, plan['num_shards'], part[1]))
    done = Packed(root, kept=[shard for shard in mine if shard not in missing])
    remove_stale_temporaries(root / 'shards')
    ranges = {shard: _items(plan, shard) for shard in mine if shard in missing}
    workers = workers if isinstance(source, FolderSource) else 1
    with (
        progress_bar(total=sum(map(len, ranges.values())), desc='Packing', unit='cloud') as bar,
        _reading(partial(read_checked, source, min_points), workers) as read,
    ):
        for shard, items in ranges.items():
            _write_shard(root, shard, source, plan, items, read(items), bar)
            done.written.append(shard)
    done.missing = missing_shards(root, plan)
    for shard in sorted(set(range(plan['num_shards'])) - set(done.missing)):
        done.left_out += [(name, why) for name, why in read_report(root, shard)['left_out']]
    if not done.missing:
        done.clouds = _finish(root, plan, done.left_out)
    return done


def _plan(
    source: FolderSource | DatasetSource,
    dtype: str,
    clouds_per_shard: int,
    min_points: int,
    command: str,
) -> dict[str, Any]:
    check_choice('dtype', dtype, DTYPES)
    labels = source.labels is not None and np.asarray(source.labels, np.int32)
    parts = [*source.names, *([] if labels is False else [labels])]
    return dict(
        format=FORMAT,
        items=len(source.names),
        items_sha256=content_sha256(parts),
        mesh_points=getattr(source, 'mesh_points', None),
        clouds_per_shard=clouds_per_shard,
        num_shards=-(-len(source.names) // clouds_per_shard),
        min_points=min_points,
        dtype=dtype,
        up_axis=source.up_axis,
        classes=source.classes,
        command=command,
    )


def _begin(root: Path, plan: dict[str, Any]) -> dict[str, Any]:
    """Write the plan, or compare it with the one that is there."""
    if not (root / PLAN).is_file():
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise DataError(
                root,
                'something else than a store',
                'an empty or a new folder',
                'choose another --out',
            )
        (root / 'shards').mkdir(parents=True, exist_ok=True)
        _write_json(root / PLAN, plan)
    there = read_plan(root)
    for key in plan.keys() - {'command'}:
        if there.get(key) != plan[key]:
            raise DataError(
                root / PLAN,
                f'a store with {key} = {str(there.get(key))[:60]}',
                f'{str(plan[key])[:60]}, from the source and the options of this call',
                f'choose another --out, or make the same store: {there["command"]}',
            )
    return there


def _items(plan: dict[str, Any], shard: int) -> range:
    size = plan['clouds_per_shard']
    return range(shard * size, min((shard + 1) * size, plan['items']))


def _write_shard(
    root: Path,
    shard: int,
    source: FolderSource | DatasetSource,
    plan: dict[str, Any],
    items: range,
    clouds: Iterator[tuple[np.ndarray | None, str]],
    bar: tqdm,
) -> None:
    """Write the points of a shard as they come, then its index, then its report."""
    sizes, boxes, kept, left_out = [], [], [], []
    digest = hashlib.sha256()
    with atomic_write(shard_file(root, shard)) as file:
        _write_header(file, 0, plan['dtype'])
        start = file.tell()
        for i, (points, why) in zip(items, clouds):
            bar.update()
            if points is None:
                left_out.append((source.names[i], why))
                continue
            stored, box = encode(points, plan['dtype'])
            content = stored.tobytes()
            file.write(content)
            digest.update(content)
            sizes.append(len(stored))
            boxes.append(box)
            kept.append(i)
        file.seek(0)
        _write_header(file, sum(sizes), plan['dtype'])
        if file.tell() != start:
            raise RuntimeError('NumPy wrote a header of another length')
    names = [source.names[i].encode() for i in kept]
    labels = [-1 if source.labels is None else source.labels[i] for i in kept]
    with atomic_write(shard_file(root, shard, '.npz')) as file:
        np.savez(
            file,
            sizes=np.array(sizes, np.int64),
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            labels=np.array(labels, np.int32),
            ids=np.frombuffer(b''.join(names), np.uint8),
            id_sizes=np.array([len(name) for name in names], np.int64),
        )
    report = dict(
        format=FORMAT,
        clouds=len(kept),
        points=sum(sizes),
        bytes=shard_file(root, shard).stat().st_size,
        sha256=digest.hexdigest(),
        left_out=left_out,
    )
    _write_json(shard_file(root, shard, '.json'), report)


def _write_header(file: BinaryIO, points: int, dtype: str) -> None:
    """Write the header of an array (points, 3); NumPy leaves room for the first size to grow."""
    description = npy_format.dtype_to_descr(np.dtype(dtype))
    header = dict(descr=description, fortran_order=False, shape=(points, 3))
    npy_format.write_array_header_1_0(file, header)


def _finish(root: Path, plan: dict[str, Any], left_out: list[tuple[str, str]]) -> int:
    """Write the index of all shards, what was left out, and what the store holds."""
    reports = [read_report(root, shard) for shard in range(plan['num_shards'])]
    clouds = sum(report['clouds'] for report in reports)
    if not clouds:
        name, why = left_out[0]
        raise DataError(
            root,
            f'every cloud was left out, the first ({name}) because of: {why}',
            'clouds',
            'check the source, --min-points and --columns',
        )
    parts = []
    for shard in range(plan['num_shards']):
        path = shard_file(root, shard, '.npz')
        arrays = read_npz(path, None, 'the index of a shard', f'remove {path} and pack again')
        if arrays.keys() != {'sizes', 'boxes', 'labels', 'ids', 'id_sizes'}:
            raise DataError(path, ', '.join(arrays), 'the index of a shard', f'remove {path}')
        parts.append(arrays)
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    arrays = dict(
        offsets=np.cumsum(np.append(0, joined['sizes'])),
        labels=joined['labels'],
        boxes=joined['boxes'],
        ids=joined['ids'],
        id_offsets=np.cumsum(np.append(0, joined['id_sizes'])),
    )
    for name in INDEX:
        with atomic_write(root / f'{name}.npy') as file:
            np.save(file, arrays[name], allow_pickle=False)
    with atomic_write(root / LEFT_OUT) as file:
        file.write(''.join(f'{name}\t{why}\n' for name, why in left_out).encode())
    _write_json(
        root / STORE,
        dict(
            format=FORMAT,
            clouds=clouds,
            points=sum(report['points'] for report in reports),
            shards=[[report[key] for key in ('clouds', 'points', 'bytes')] for report in reports],
            sha256=content_sha256([*(r['sha256'] for r in reports), *(arrays[k] for k in INDEX)]),
            left_out=len(left_out),
            **{key: plan[key] for key in ('dtype', 'up_axis', 'classes', 'command')},
        ),
    )
    return clouds


def _write_json(path: Path, content: dict) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(content, indent=1).encode())


Reader = Callable[[int], tuple[np.ndarray | None, str]]
_reader: Reader | None = None  # in a process that reads files


@contextmanager
def _reading(read: Reader, workers: int) -> Iterator[Callable[[range], Iterator]]:
    """Yield a function that reads items in order, in processes if there are several."""
    if workers <= 1:
        yield lambda items: map(read, items)
        return
    try:
        with process_pool(workers, _set_reader, read) as pool:
            yield lambda items: pool.map(_read_item, items, chunksize=_CHUNK)
    except BrokenProcessPool as error:
        raise DataError(
            'pack',
            'a process that reads files was ended by the system',
            'memory for all of them',
            'run the command again with fewer --workers: it continues',
        ) from error


def _set_reader(read: Reader) -> None:
    global _reader
    leave_signals_to_parent()
    _reader = read


def _read_item(i: int) -> tuple[np.ndarray | None, str]:
    return _reader(i)
