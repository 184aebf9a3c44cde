"""Unpacking zip archives that come from elsewhere: nothing is written outside the folder, and no
more than allowed.
"""

import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pcdet_kd.datasets.files import MAX_BYTES, most_bytes
from pcdet_kd.utils.errors import DataError, UserError
from pcdet_kd.utils.progress import progress_bar

MOST_FILES = 500_000
_MOST_RATIO = 20  # text files of numbers reach 5, compressed zeros 1,000
_AGAIN = 'download it again; if it is the same again, do not use it'
_IGNORED = ('__MACOSX', '.DS_Store')


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a zip archive to a folder that is not there yet, all of it or nothing.

    Where everything in the archive lies in one folder, the content of that folder is taken.

    Args:
        archive: The archive. It may unpack to 20 times its size or to 1 GiB, whichever is larger;
            ``PCDET_KD_MAX_BYTES`` sets another number of bytes instead of 1 GiB.
        folder: Becomes what was unpacked.

    Returns:
        The folder.

    Raises:
        DataError: The archive is damaged or encrypted; a member has an absolute path, ``..``, or a
            name that occurs twice, or is a link; it is too large or has too many files; or the
            folder is there.
        UserError: The disk has no room for it.
    """
    if folder.exists():
        raise DataError(folder, 'something there already', 'no such folder', 'move it away')
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _reading(archive) as found, _temporary(folder) as temporary:
        members = check_members(archive, found)
        needed = sum(member.file_size for member in members)
        if needed > (free := shutil.disk_usage(folder.parent).free):
            text = f'{archive} unpacks to {needed:,} bytes, and the disk of {folder} has {free:,}'
            raise UserError(f'{text}. Free some space, or choose another folder')
        for member in progress_bar(
            members, desc=f'Unpacking {archive.name}', unit='file', disable=None
        ):
            target = temporary / member.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            # zipfile reads no more than the size that was checked, and compares the checksum
            with found.open(member) as source, target.open('xb') as file:
                shutil.copyfileobj(source, file, 1 << 20)
        inside = list(temporary.iterdir())
        alone = len(inside) == 1 and inside[0].is_dir()
        os.replace(inside[0] if alone else temporary, folder)
    return folder


def check_members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive that are to be unpacked, after having checked all members.

    Raises:
        DataError: See :func:`unpack`.
    """
    members, seen = [], set()
    for member in archive.infolist():
        fault = _fault(member)
        parts = PurePosixPath(member.filename).parts
        if fault is None and str(PurePosixPath(*parts)).casefold() in seen and not member.is_dir():
            fault = 'a name that occurs twice'
        if fault is not None:
            raise DataError(
                path, f'{member.filename!r}, {fault}', 'files with plain relative names', _AGAIN
            )
        if member.is_dir() or set(parts) & set(_IGNORED):
            continue
        seen.add(str(PurePosixPath(*parts)).casefold())
        members.append(member)
    if not members:
        raise DataError(path, 'no files', 'the files of a data set', _AGAIN)
    if len(members) > MOST_FILES:
        raise DataError(path, f'{len(members):,} files', f'at most {MOST_FILES:,}', _AGAIN)
    size, allowed = path.stat().st_size, most_bytes()
    needed, allowed = sum(m.file_size for m in members), max(_MOST_RATIO * size, allowed)
    if needed > allowed:
        raise DataError(
            path,
            f'{needed:,} bytes unpacked from {size:,}',
            f'at most {allowed:,} bytes',
            f'remove the file; if you trust it, export {MAX_BYTES}={needed}',
        )
    return members


def _fault(member: zipfile.ZipInfo) -> str | None:
    """Return what is wrong with a member of an archive, None if nothing is."""
    name, mode = member.filename, member.external_attr >> 16
    path = PurePosixPath(name)
    if set(member.orig_filename) & set('\\:\0'):
        return 'a name with a backslash, a colon or a zero'
    if path.is_absolute() or '..' in path.parts or not path.parts:
        return 'a path that leads out of the folder'
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return 'a link or another special file'
    if member.flag_bits & 1:
        return 'an encrypted file'
    return None


@contextmanager
def _reading(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(path, f'a damaged archive ({error})', 'a zip archive', _AGAIN) from error


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """Yield a new hidden folder beside ``folder``, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f'.{folder.name}.', dir=folder.parent) as outer:
        inner = Path(outer) / 'unpacked'
        inner.mkdir()
        yield inner
