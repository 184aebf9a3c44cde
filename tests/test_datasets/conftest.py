from pathlib import Path

import h5py
import numpy as np
import pytest


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
