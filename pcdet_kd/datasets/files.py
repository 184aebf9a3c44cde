"""Reading files of a data set: every fault becomes one :class:`DataError`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pcdet_kd.utils.errors import DataError


def require_directory(path: str | Path, contents: str, fix: str) -> Path:
    """Return ``path`` as a :class:`Path` if it is a directory.

    Args:
        path: The directory.
        contents: What should be in it, for the message.
        fix: Where that comes from, for the message.

    Raises:
        DataError: It is missing or not a directory.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise DataError(
            path,
            'a file' if path.exists() else 'no such directory',
            f'a directory with {contents}',
            fix,
        )
    return path


def require_file(path: Path, contents: str, fix: str) -> Path:
    """Return ``path`` if it is a file with something in it that is not a web page.

    Raises:
        DataError: It is missing, empty, or an HTML page saved under the name of a data file.
    """
    if not path.is_file():
        beside = sorted(p.name for p in path.parent.iterdir())[:8] if path.parent.is_dir() else None
        found = 'a directory' if path.exists() else 'no such file'
        found += (
            f'; beside it: {", ".join(beside) or "nothing"}'
            if beside is not None
            else f', nor {path.parent}'
        )
        raise DataError(path, found, contents, fix)
    if path.stat().st_size == 0:
        raise DataError(path, 'an empty file (0 bytes)', contents, fix)
    with path.open('rb') as file:
        head = file.read(512).lstrip().lower()
    if head.startswith((b'<!doctype html', b'<html')):
        raise DataError(
            path,
            'an HTML page: the download returned a login, consent or error page',
            contents,
            fix,
        )
    return path


def read_lines(path: Path, contents: str, fix: str) -> list[str]:
    """Return the non-empty lines of a list file, without surrounding blanks.

    Raises:
        DataError: The file is missing, empty, holds no line or is not text, or a line occurs twice.
    """
    require_file(path, contents, fix)
    try:
        lines = [
            line.strip() for line in path.read_text(encoding='utf-8').splitlines() if line.strip()
        ]
    except UnicodeDecodeError as error:
        raise DataError(path, f'a file that is not text ({error.reason})', contents, fix) from error
    if not lines:
        raise DataError(path, 'only blank lines', contents, fix)
    if len(set(lines)) != len(lines):
        twice = next(line for i, line in enumerate(lines) if line in lines[:i])
        raise DataError(path, f"'{twice}' twice", 'every line once', fix)
    return lines


Shape = Sequence[int | None] | None


def read_h5(
    path: Path, required: Mapping[str, Shape], optional: Mapping[str, Shape], fix: str
) -> dict[str, np.ndarray]:
    """Read whole arrays from an HDF5 file.

    Args:
        path: The file.
        required: Names and shapes of the arrays that must be there; None stands for any size, or
            any shape.
        optional: The same for arrays that are read where they are there.
        fix: How to get a good file, for the messages.

    Returns:
        The arrays, in the file's types.

    Raises:
        DataError: The file is missing, empty, truncated, not HDF5, lacks an array, or an array has
            another shape.
    """
    import h5py

    contents = 'an HDF5 file with ' + ', '.join(
        f"'{name}' {_shape(shape)}".strip() for name, shape in required.items()
    )
    require_file(path, contents, fix)
    arrays = {}
    try:
        with h5py.File(path, 'r') as file:
            keys = sorted(file)
            for name in (*required, *optional):
                if isinstance(file.get(name), h5py.Dataset):
                    arrays[name] = file[name][()]
    except (OSError, RuntimeError) as error:
        found = f'{path.stat().st_size:,} bytes that cannot be read as HDF5 ({error})'
        raise DataError(path, found, contents, fix) from error
    for name, shape in (*required.items(), *optional.items()):
        if name not in arrays:
            if name in optional:
                continue
            raise DataError(
                path, f"no array '{name}' (there are: {', '.join(keys) or 'none'})", contents, fix
            )
        actual = np.shape(arrays[name])
        if shape is not None and not _fits(actual, shape):
            raise DataError(
                path, f"'{name}' of shape {actual}", f"'{name}' of shape {_shape(shape)}", fix
            )
        if arrays[name].dtype.kind not in 'fiu':
            raise DataError(
                path, f"'{name}' of type {arrays[name].dtype}", f"'{name}' holds numbers", fix
            )
    return arrays


def _fits(actual: tuple[int, ...], shape: Sequence[int | None]) -> bool:
    return len(actual) == len(shape) and all(
        want in (None, got) for want, got in zip(shape, actual)
    )


def _shape(shape: Shape) -> str:
    if shape is None:
        return ''
    sizes = ['any' if size is None else str(size) for size in shape]
    return f'({", ".join(sizes)}{"," if len(sizes) == 1 else ""})'


def read_labels(path: Path, labels: np.ndarray, count: int, fix: str) -> np.ndarray:
    """Return (n,) int64 class indices from an array (n,) or (n, 1) of whole numbers.

    Raises:
        DataError: Another shape, another number of labels than ``count`` clouds, or a number that
            is not whole.
    """
    if labels.shape not in ((count,), (count, 1)):
        raise DataError(
            path,
            f"'label' of shape {labels.shape}",
            f'({count},) or ({count}, 1), one per cloud',
            fix,
        )
    whole = labels.reshape(-1)
    if not np.array_equal(whole, np.floor(whole)):
        raise DataError(path, 'labels that are not whole numbers', 'class indices', fix)
    return whole.astype(np.int64)
