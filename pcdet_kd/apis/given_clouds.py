"""What a user gives to be classified: files, folders, patterns, arrays and tensors."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pcdet_kd.datasets.checks import fault_of
from pcdet_kd.datasets.readers import SUFFIXES, read_points
from pcdet_kd.utils.errors import DataError

_FIX = 'give clouds (N, 3), or (N, C) with xyz first, of finite numbers, not all at one place'


def list_inputs(inputs: Any) -> list[Any]:
    """Return one entry per cloud: a path, or an array (N, C).

    Args:
        inputs: A file; a folder, whose point-cloud files are taken, those of folders below it too;
            a pattern with ``*``; an array or tensor (N, C) or (B, N, C); or a list of these.

    Raises:
        DataError: A folder or a pattern has no file of a known format.
    """
    if isinstance(inputs, (list, tuple)):
        return [one for given in inputs for one in list_inputs(given)]
    if isinstance(inputs, torch.Tensor):
        inputs = inputs.detach().cpu().numpy()
    if isinstance(inputs, np.ndarray):
        return list(inputs) if inputs.ndim == 3 else [inputs]
    path = Path(inputs).expanduser()
    if path.is_dir():
        found = sorted(p for p in path.rglob('*') if p.suffix.lower() in SUFFIXES and p.is_file())
    elif glob.has_magic(str(path)) and not path.exists():
        found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    else:
        return [path]
    if not found:
        raise DataError(
            path,
            'no file of a known format',
            f'files {", ".join(SUFFIXES)}',
            'check the path, or convert the files',
        )
    return found


def read_inputs(
    entries: Sequence[Any], columns: Sequence[str] | None = None
) -> Iterator[tuple[str, dict[str, np.ndarray] | str]]:
    """Yield the name of each entry with its arrays (``points`` (N, 3), and ``normals`` and ``rgb``
    where a file has them), or with what is wrong with it.

    Args:
        entries: As :func:`list_inputs` returns them.
        columns: Names of the columns of text and npy files, see
            :func:`~pcdet_kd.datasets.readers.read_points`.
    """
    for number, entry in enumerate(entries):
        name = str(entry) if isinstance(entry, Path) else f'array {number}'
        try:
            cloud = (
                read_points(entry, columns)
                if isinstance(entry, Path)
                else _from_array(name, np.asarray(entry))
            )
            fault = fault_of(cloud['points'], allow_degenerate=False)
            if fault:
                raise DataError(name, *fault[:2], _FIX)
        except (DataError, OSError) as error:
            yield name, str(error)
        else:
            yield name, cloud


def _from_array(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    if array.ndim != 2 or array.shape[1] < 3 or not len(array) or array.dtype.kind not in 'fiu':
        found = f'an array of shape {array.shape} and type {array.dtype}'
        raise DataError(name, found, 'an array (N, 3) or (N, C) of numbers', _FIX)
    return dict(points=np.ascontiguousarray(array[:, :3], dtype=np.float32))
