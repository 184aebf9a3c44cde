"""Downloading published data sets."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from pcdet_kd.apis.doctor.text import size_text
from pcdet_kd.apis.resuming_download import ResumingDownloader
from pcdet_kd.datasets.archive import unpack
from pcdet_kd.datasets.manifest import read_hashes, verify
from pcdet_kd.datasets.published import PUBLISHED, Published
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.errors import DataError, UserError
from pcdet_kd.utils.files import file_sha256, write_whole

HASHES = 'downloads.sha256'  # of archives, in the root folder, in the format of sha256sum
_PARTS = '.downloads'


class DownloadError(UserError, RuntimeError):
    """A data set cannot be downloaded; the message says why, and how to get it by hand."""


def download(
    name: str,
    root: str | os.PathLike = 'data',
    say: Callable[[str], None] = lambda text: None,
    downloader: Callable[[Path], Callable[..., None]] = ResumingDownloader,
) -> Path:
    """Download and unpack a published data set.

    Called again after a stop of any kind, it goes on where it stopped. The archive is compared with
    its known hash; where none is known, its SHA-256 is written to ``downloads.sha256`` in ``root``,
    and a later download must have the same. ``SHA256SUMS`` in the data set's folder has the hashes
    of its files.

    Args:
        name: One of :data:`~pcdet_kd.datasets.published.PUBLISHED`.
        root: Where the data set's folder is made. A folder that is there is left as it is.
        say: Called with a line of text per step.
        downloader: Called with the file for what has arrived, returns a downloader for pooch.

    Returns:
        The data set's folder.

    Raises:
        DownloadError: An unknown name, a data set that has to be got by hand, or no address answers
            with the right file.
        DataError: The archive is damaged or hostile.
    """
    if name not in PUBLISHED:
        raise DownloadError(
            f"no data set '{name}'.{did_you_mean(name, PUBLISHED)} There are: "
            f'{", ".join(PUBLISHED)}'
        )
    entry, root = PUBLISHED[name], Path(root).expanduser()
    folder = root / entry.folder
    if folder.is_dir() and any(folder.iterdir()):
        say(f'{folder} is there already, nothing was downloaded; move it away to get it again')
        return folder
    if not entry.urls:
        raise DownloadError(
            f'{entry.title} cannot be downloaded by a command (terms: {entry.terms}). '
            f'To have it in {folder}: {entry.by_hand}'
        )
    say(f'{entry.title}, from {entry.page}\nterms: {entry.terms}')
    archive = _fetch(entry, root, say, downloader)
    try:
        if folder.is_dir():
            folder.rmdir()  # an empty one
        unpack(archive, folder)
    except DataError:
        archive.unlink()  # the next call must not take it again
        raise
    say(f'unpacked to {folder}')
    verify(folder)
    archive.unlink()
    _remove_if_empty(archive.parent)
    return folder


def published_text(root: str | os.PathLike = 'data') -> str:
    """Return the published data sets as lines for people: name, size if known, folder, terms, and
    whether a command gets it.
    """
    width = max(map(len, PUBLISHED)) + 2
    lines = []
    for name, entry in PUBLISHED.items():
        size = f'{size_text(entry.archive_bytes)}, ' if entry.archive_bytes else ''
        where = f'{size}to {Path(root) / entry.folder}'
        how = where if entry.urls else f'by hand, {where}'
        for start, text in ((name, entry.title), ('', how), ('', f'terms: {entry.terms}')):
            lines.append(f'{start:{width}}{text}')
    return '\n'.join(lines)


def _fetch(
    entry: Published,
    root: Path,
    say: Callable[[str], None],
    downloader: Callable[[Path], Callable[..., None]],
) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    name = entry.urls[0].rpartition('/')[2]
    folder = root / _PARTS
    folder.mkdir(parents=True, exist_ok=True)
    hashes = read_hashes(root / HASHES) if (root / HASHES).is_file() else {}
    known = entry.known_hash or (f'sha256:{hashes[name]}' if name in hashes else None)
    failed = []
    for url in entry.urls:
        say(f'downloading {url}' + (f' ({failed[-1][1]} at the last address)' if failed else ''))
        try:
            pooch.retrieve(url, known, name, folder, downloader=downloader(folder / f'{name}.part'))
        except (requests.RequestException, UserError) as error:
            failed.append((url, _reason(error)))
        except ValueError as error:  # pooch's for another hash
            found = str(error).partition(' but got ')[2].partition('.')[0]
            failed.append((url, f'another file: its hash is {found}, expected {known}'))
        else:
            archive = folder / name
            if known is None:
                hashes[name] = file_sha256(archive)
                content = ''.join(f'{digest}  {file}\n' for file, digest in hashes.items())
                write_whole(root / HASHES, content)
                say(f'no hash of {name} is published; that of this one is now in {root / HASHES}')
            return archive
    hint = f'\n  by hand: {entry.by_hand}' if entry.by_hand else ''
    if known and not entry.known_hash:
        hint += f'\n  if its publisher has changed it, remove its line from {root / HASHES}'
    tried = '\n  '.join(f'{url}: {reason}' for url, reason in failed)
    _remove_if_empty(folder)
    raise DownloadError(f'{entry.title} cannot be downloaded:\n  {tried}{hint}')


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _reason(error: Exception) -> str:
    import requests

    answer = getattr(error, 'response', None)
    if answer is not None:
        return f'the server answers {answer.status_code} {answer.reason}'
    if isinstance(error, requests.Timeout):
        return 'the server does not answer in time'
    if isinstance(error, requests.ConnectionError) and 'Max retries' in str(error):
        return 'no connection'
    return str(error)
