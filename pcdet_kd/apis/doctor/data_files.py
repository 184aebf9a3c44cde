"""Whether the files of a data set are there and whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pooch

from pcdet_kd.apis.doctor.layouts import Place
from pcdet_kd.apis.doctor.report import Report
from pcdet_kd.datasets.files import reading, require_file
from pcdet_kd.datasets.manifest import MANIFEST, read_hashes
from pcdet_kd.datasets.published import PUBLISHED
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import file_sha256
from pcdet_kd.utils.progress import progress_bar

_AGAIN = 'get the file again'


def check_files(place: Place, report: Report) -> dict[str, Any]:
    """Return the number and the size of a data set's files, and report those that are missing,
    damaged or changed.

    Hashes are compared with those of the published files, where they are known, and with
    ``SHA256SUMS`` in the folder, where it is.
    """
    try:
        files = place.files()
    except DataError as error:
        report.add_error(error)
        return {}
    missing = [file for file in files if not file.is_file()]
    if missing:
        _report_missing(place, files, missing, report)
    there = [file for file in files if file not in set(missing)]
    for file in progress_bar(there, desc=f'Files of {place.root.name}', disable=None):
        try:
            check_file(file)
        except DataError as error:
            report.add_error(error)
    facts: dict[str, Any] = dict(
        files=f'{len(there):,} of {len(files):,}',
        size_bytes=sum(file.stat().st_size for file in there),
    )
    if place.published and place.published.md5:
        facts['published_hashes'] = _compare_md5(there, place.published.md5, report)
    if (place.root / MANIFEST).is_file():
        facts[MANIFEST] = _compare_manifest(place.root, report)
    return facts


def check_file(file: Path) -> None:
    """Open a file and look whether its end is there.

    Raises:
        DataError: It is empty, a web page, or shorter than its header says.
    """
    require_file(file, 'a file of the data set', _AGAIN)
    if file.suffix == '.h5':
        with reading(file, 'a whole HDF5 file', _AGAIN):
            h5py.File(file, 'r').close()
    elif file.suffix == '.npy':
        with reading(file, 'an array in NumPy format', _AGAIN):
            np.load(file, mmap_mode='r', allow_pickle=False)


def _report_missing(
    place: Place, files: Sequence[Path], missing: Sequence[Path], report: Report
) -> None:
    names = ', '.join(str(file.relative_to(place.root)) for file in missing[:3])
    more = f' and {len(missing) - 3:,} more' if len(missing) > 3 else ''
    text = f'{len(missing):,} of {len(files):,} files are missing: {names}{more}'
    known = next((n for n, entry in PUBLISHED.items() if entry is place.published), None)
    fix = 'get them again, or correct the list that names them'
    if known:
        fix += f'; all of it: move the folder away, then pcdet-kd download {known}'
    report.add('broken', place.root, text, fix)


def _compare_md5(files: Sequence[Path], known: dict[str, str], report: Report) -> str:
    named = [file for file in files if file.name in known]
    other = [file for file in named if pooch.file_hash(str(file), 'md5') != known[file.name]]
    if other:
        names = ', '.join(file.name for file in other)
        where = other[0].parent
        text = f'not the published files: {names} (their MD5 hashes differ)'
        report.add('warning', where, text, 'if they should be, get them again')
    return f'{len(named) - len(other)} of {len(known)} files agree'


def _compare_manifest(root: Path, report: Report) -> str:
    try:
        known = read_hashes(root / MANIFEST)
    except DataError as error:
        report.add_error(error)
        return 'cannot be read'
    agree = 0
    for name, digest in progress_bar(known.items(), desc=f'Hashes of {root.name}', disable=None):
        file = root / name
        if not file.is_file():
            report.add('broken', file, f'missing, but {MANIFEST} names it', _AGAIN)
        elif (found := file_sha256(file)) != digest:
            text = f'changed: SHA-256 {found[:12]}…, {MANIFEST} has {digest[:12]}…'
            report.add('broken', file, text, f'{_AGAIN}; if it was meant, delete {MANIFEST}')
        else:
            agree += 1
    return f'{agree:,} of {len(known):,} files agree'
