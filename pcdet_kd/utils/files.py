"""Writing files so that a reader never sees half of one."""

import errno
import hashlib
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_TEMPORARY = '.tmp'


@contextmanager
def atomic_write(path: str | os.PathLike, sync: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its place when the block ends, or vanishes
    if it fails.

    After a crash at any moment ``path`` is either the whole old file or the whole new one. What a
    killed process leaves is named ``.<name>.<host>.<pid>.tmp`` and is removed by
    :func:`remove_stale_temporaries`.

    Args:
        path: The file.
        sync: Wait until the disk has the file. Without it, a crash of the machine (not of the
            process) may leave it empty; for many small files that can be made again.

    Raises:
        OSError: The file cannot be written; a full disk is named with the bytes that are free.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with open(temporary, 'wb') as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
        if sync:
            _sync_directory(path.parent)
    except BaseException as error:
        written = temporary.stat().st_size if temporary.exists() else 0
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if _is_disk_full(error):
            raise OSError(
                errno.ENOSPC,
                f'no space left on the disk after {written:,} bytes of this file; '
                f'{shutil.disk_usage(path.parent).free:,} bytes are free now. Whatever stood '
                'there before is untouched',
                str(path),
            ) from error
        raise


def write_whole(path: str | os.PathLike, content: str | bytes, sync: bool = True) -> None:
    """Write a file as :func:`atomic_write` does, text as UTF-8."""
    with atomic_write(path, sync) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def temporary_beside(path: Path) -> Path:
    """Return the name of this process's temporary file for ``path``."""
    return path.with_name(f'.{path.name}.{socket.gethostname()}.{os.getpid()}{_TEMPORARY}')


def link_or_copy(source: str | os.PathLike, path: str | os.PathLike) -> None:
    """Make ``path`` the same file as ``source`` (a hard link, or a copy where there are none),
    replacing it atomically.
    """
    source, path = Path(source), Path(path)
    if path.exists() and os.path.samefile(source, path):
        return
    temporary = temporary_beside(path)
    with suppress(FileNotFoundError):
        temporary.unlink()
    try:
        os.link(source, temporary)
    except OSError:  # the file system knows no hard links
        with atomic_write(path) as target, open(source, 'rb') as file:
            shutil.copyfileobj(file, target, 1 << 20)
        return
    os.replace(temporary, path)


def remove_stale_temporaries(directory: str | os.PathLike) -> list[Path]:
    """Remove what killed processes left of :func:`atomic_write` in a directory, and return what was
    removed.

    A temporary file of a process that still runs on this machine, or of another machine, stays.
    """
    removed = []
    for file in Path(directory).glob(f'.*{_TEMPORARY}'):
        host, _, pid = file.name[: -len(_TEMPORARY)].rpartition('.')
        if (
            pid.isdigit()
            and host.endswith(f'.{socket.gethostname()}')
            and not process_runs(int(pid))
        ):
            file.unlink(missing_ok=True)
            removed.append(file)
    return removed


def process_runs(pid: int) -> bool:
    """Whether a process with this id runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def file_sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with open(path, 'rb') as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _sync_directory(directory: Path) -> None:
    """Make a rename durable; not every file system lets a directory be synced."""
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error; torch reports it as a RuntimeError of its own on
    top.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
