from pathlib import Path

import h5py
import numpy as np
import pytest

from pcdet_kd.datasets.cloud_sources import FolderSource
from pcdet_kd.datasets.pack import pack


@pytest.fixture
def write_h5():
    """A function that writes arrays to an HDF5 file, making its directory."""

    def write(path: Path, **arrays: np.ndarray) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, 'w') as file:
            for name, array in arrays.items():
                file[name] = array
        return path

    return write


@pytest.fixture
def clouds():
    """A function that returns n random clouds (n, size, columns) float32."""

    def make(n: int, size: int = 16, columns: int = 3, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=(n, size, columns)).astype(np.float32)

    return make


@pytest.fixture
def make_store(tmp_path):
    """A function that packs random clouds of given sizes, ids a/0.npy, ..., into a store; returns
    its folder and the clouds.
    """

    def make(sizes, name='store', labels=None, **options):
        names = [f'a/{i}.npy' for i in range(len(sizes))]
        classes = None if labels is None else ['one', 'two', 'three']
        rng = np.random.default_rng(0)
        clouds = [rng.normal(size=(size, 3)).astype(np.float32) for size in sizes]
        source = FolderSource(tmp_path / f'{name}_files', names, labels, classes, 'y', None, 1)
        (source.root / 'a').mkdir(parents=True, exist_ok=True)
        for file, cloud in zip(names, clouds):
            np.save(source.root / file, cloud)
        pack(source, tmp_path / name, 'make-it', **options)
        return tmp_path / name, clouds

    return make
