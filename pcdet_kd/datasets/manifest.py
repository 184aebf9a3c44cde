"""SHA-256 hashes of a data set's files, to find changed bytes that still look like data."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from mmengine.logging import print_log

from pcdet_kd.datasets.array_cache import default_cache_dir
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.files import read_lines, require_directory
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import file_sha256, write_whole
from pcdet_kd.utils.progress import progress_bar

MANIFEST = 'SHA256SUMS'


def verify(data: PointCloudDataset | str | Path) -> None:
    """Compare the files of a data set with the hashes that the first check wrote.

    The hashes are in ``<data_root>/SHA256SUMS``, or, where that cannot be written, in the user's
    cache directory; the log names the file. The file has the format of ``sha256sum``, so that
    ``sha256sum --check SHA256SUMS`` in the folder does the same. New files are added to it.
    Hidden files and folders are ignored. A data set without files of its own (generated clouds,
    whose cache has a hash already) passes.

    Args:
        data: The data set, or its root folder.

    Raises:
        DataError: A file is missing or has another hash; names the file and both hashes.
    """
    folder = data.data_root if isinstance(data, PointCloudDataset) else data
    if not str(folder):
        return
    root = require_directory(folder, 'the files of a data set', 'check data_root').resolve()
    key = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    elsewhere = default_cache_dir() / 'manifests' / f'{key}.sha256'
    manifest = elsewhere if elsewhere.is_file() else root / MANIFEST
    known = read_hashes(manifest) if manifest.is_file() else {}
    names = sorted(_files(root))
    for name in sorted(known.keys() - set(names)):
        raise DataError(root / name, 'no such file', f'SHA-256 {known[name]}', _fix(manifest))
    hashes = {}
    for name in progress_bar(names, desc=f'Hashing {root}', unit='file'):
        hashes[name] = file_sha256(root / name)
        if known.get(name, hashes[name]) != hashes[name]:
            raise DataError(
                root / name, f'SHA-256 {hashes[name]}', f'SHA-256 {known[name]}', _fix(manifest)
            )
    if len(hashes) > len(known):
        content = ''.join(f'{digest}  {name}\n' for name, digest in hashes.items())
        try:
            write_whole(manifest, content)
        except OSError:
            manifest = elsewhere
            write_whole(manifest, content)
        added = len(hashes) - len(known)
        print_log(f'{root}: hashes of {added} files written to {manifest}', logger='current')
    else:
        print_log(f'{root}: {len(hashes)} files match {manifest}', logger='current')


def _fix(manifest: Path) -> str:
    return f'get the file again; if it was changed on purpose, delete {manifest}'


def read_hashes(manifest: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that a list in the format of ``sha256sum`` names.

    Raises:
        DataError: The list is missing or damaged.
    """
    fix = f'delete {manifest}; the next check writes it again'
    known = {}
    for line in read_lines(manifest, 'lines <SHA-256>  <file>', fix):
        digest, _, name = line.partition('  ')
        if len(digest) != 64 or not name:
            raise DataError(manifest, f"the line '{line[:80]}'", '<SHA-256>  <file>', fix)
        known[name] = digest
    return known


def _files(root: Path) -> Iterator[str]:
    """Yield the names of the files below a folder, also in folders that are links."""
    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        seen.add(os.path.realpath(folder))
        folders[:] = [
            name
            for name in folders
            if not name.startswith('.') and os.path.realpath(os.path.join(folder, name)) not in seen
        ]
        for name in names:
            path = Path(folder, name).relative_to(root).as_posix()
            if not name.startswith('.') and path != MANIFEST:
                yield path
