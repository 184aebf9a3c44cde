"""Files of data sets: read once while a command runs, and remembered by size and time."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

Files = dict[str, list[int]]
"""Size in bytes and time of the last change in nanoseconds, by absolute path."""

_kept: ContextVar[dict | None] = ContextVar('kept', default=None)
_noted: ContextVar[Files | None] = ContextVar('noted', default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """In this block, data sets of one source share what the first of them reads.

    A block inside another one is part of it. Files that change meanwhile are not read again.
    """
    token = _kept.set({} if _kept.get() is None else _kept.get())
    try:
        yield
    finally:
        _kept.reset(token)


def once(key: Hashable, read: Callable[[], Any]) -> Any:
    """Return what ``read()`` returns; inside :func:`reading_once`, it is called once per key."""
    kept = _kept.get()
    if kept is None:
        return read()
    if key not in kept:
        with noting_files() as files:
            kept[key] = read(), files
    value, files = kept[key]
    if _noted.get() is not None:
        _noted.get().update(files)
    return value


@contextmanager
def noting_files() -> Iterator[Files]:
    """Yield a dict that gets an entry for each file and directory that data sets read in the block.

    Readers tell through :func:`note_file`, which ``require_file`` and ``require_directory`` call.
    """
    outer, files = _noted.get(), {}
    token = _noted.set(files)
    try:
        yield files
    finally:
        _noted.reset(token)
        if outer is not None:
            outer.update(files)


def note_file(path: Path) -> None:
    """Tell that what is read depends on a file, or on the names in a directory."""
    files = _noted.get()
    if files is not None:
        files[str(path.absolute())] = _stamp(path)


def unchanged(files: Files) -> bool:
    """Whether all files have the size and the time that were noted; False if there are none."""
    return bool(files) and all(
        Path(path).exists() and _stamp(Path(path)) == stamp for path, stamp in files.items()
    )


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
