#!/usr/bin/env python
"""Measure random reads of a store of clouds: our mapped NumPy shards against zarr.

Every form holds the same clouds in the same type, and a read ends in float32 coordinates. zarr
gets one chunk per cloud: one array of all clouds as it is by default (compressed), without
compression, and with the chunks of 1,024 clouds in one file. `cold` is after the files were dropped
from the system's cache, so it depends on the disk.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import harness
import numpy as np

from pcdet_kd.datasets.cloud_store import CloudStore, decode, encode
from pcdet_kd.datasets.pack import pack


class Generated:
    """Random clouds in place of files."""

    labels = classes = None
    up_axis = 'z'

    def __init__(self, clouds: int, points: int) -> None:
        self.names = [f'{i:07d}' for i in range(clouds)]
        self.points = points

    def read(self, i: int) -> np.ndarray:
        rng = np.random.default_rng(i)
        return rng.uniform(-1, 1, (self.points, 3)).astype(np.float32)


def zarr_forms(folder: Path, source: Generated, dtype: str) -> dict:
    """Write the clouds with zarr and return a function per form that reads a cloud."""
    zarr = harness.optional('zarr')
    if zarr is None:
        return {}
    count, size = len(source.names), source.points
    forms = {
        'zarr': {},
        'zarr, not compressed': dict(compressors=None),
        'zarr, not compressed, 1,024 in a file': dict(
            compressors=None, shards=(min(count, 1024), size, 3)
        ),
    }
    readers = {}
    for k, (name, options) in enumerate(forms.items()):
        array = zarr.create_array(
            store=folder / f'zarr{k}',
            shape=(count, size, 3),
            chunks=(1, size, 3),
            dtype=dtype,
            **options,
        )
        boxes = np.empty((count, 4), np.float32)
        step = 1024 if 'shards' in options else 64
        for start in range(0, count, step):
            coded = [encode(source.read(i), dtype) for i in range(count)[start : start + step]]
            array[start : start + step] = np.stack([stored for stored, _ in coded])
            boxes[start : start + step] = [box for _, box in coded]
        readers[name] = lambda i, array=array, boxes=boxes: decode(array[i], boxes[i])
    return readers


def forget(folder: Path) -> None:
    """Drop the files below a folder from the system's cache."""
    for path in folder.rglob('*'):
        if path.is_file():
            with path.open('rb') as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--clouds', type=int, default=2000)
    parser.add_argument('--points', type=int, default=16384)
    parser.add_argument('--reads', type=int, default=1000)
    parser.add_argument('--dtype', choices=('float32', 'float16', 'int16'), default='int16')
    parser.add_argument('--folder', help='where to write (a temporary folder)')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    print(harness.environment(), end='\n\n')
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        source = Generated(args.clouds, args.points)
        pack(source, folder / 'store', 'none', args.dtype)
        store = CloudStore(folder / 'store')
        if harness.optional('zarr') is None:
            print(f'zarr is {harness.INSTALL}', end='\n\n')
        readers = {'ours': store.__getitem__, **zarr_forms(folder, source, args.dtype)}
        order = np.random.default_rng(args.seed).permutation(args.clouds)[: args.reads].tolist()
        check = source.read(order[0])
        print(harness.table(['form', 'warm, ms/cloud', 'cold, ms/cloud', 'largest error'], []))
        for form, read in readers.items():
            cells = [form]
            for drop in (False, True):
                if drop:
                    store._shards.clear()  # a mapped file stays in the cache
                    forget(folder)
                else:
                    for i in order:
                        read(i)
                start = time.perf_counter()
                for i in order:
                    read(i).sum()  # touches every page
                cells.append(harness.milliseconds((time.perf_counter() - start) / len(order)))
            cells.append(f'{np.abs(read(order[0]) - check).max():.1e}')
            print('| ' + ' | '.join(cells) + ' |', flush=True)


if __name__ == '__main__':
    main()
