"""The file that says that a directory's sets were generated, and how."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pcdet_kd import __version__
from pcdet_kd.datasets.corruptions.table import SUITES
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import atomic_write, file_sha256, remove_stale_temporaries

MARK = 'generated.json'


class Mark:
    """``generated.json`` in a directory.

    A file is entered before it gets its name, so that every file of the generator's is known at any
    moment, and any other is somebody else's.

    Args:
        directory: Where the sets are.
        settings: All that decides what is in them.
    """

    def __init__(self, directory: Path, settings: dict[str, Any]) -> None:
        self.directory, self.settings = directory, settings
        self.path = directory / MARK
        self.files: dict[str, str] = {}

    def claim(self, names: Sequence[str]) -> set[str]:
        """Make the directory this generator's, and return those of the named files that are
        finished.

        Raises:
            DataError: It has files of a suite without a mark, a mark with other settings, or a file
                that isn't what was generated.
        """
        if self.path.is_file():
            self._read()
        else:
            self._refuse_files_of_others()
        done = set()
        for name in names:
            if not (self.directory / name).exists():
                continue
            if self.files.get(name) != file_sha256(self.directory / name):
                found = (
                    'a file that was changed'
                    if name in self.files
                    else f'a file that {MARK} does not name'
                )
                raise DataError(
                    self.directory / name,
                    found,
                    'what was generated here',
                    'remove it, to generate it again',
                )
            done.add(name)
        self.directory.mkdir(parents=True, exist_ok=True)
        remove_stale_temporaries(self.directory)
        self._store()
        return done

    def write(self, name: str, save: Callable[[BinaryIO], None]) -> None:
        """Enter a file and write it; it appears when it is whole."""
        with atomic_write(self.directory / name) as file:
            save(file)
            file.flush()
            self.files[name] = file_sha256(file.name)
            self._store()

    def _read(self) -> None:
        try:
            content = json.loads(self.path.read_text(encoding='utf-8'))
            self.files = dict(content['files'])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                self.path,
                f'no mark of the generator ({error})',
                'JSON with settings and files',
                'remove the directory, and generate it again',
            ) from error
        for key, value in self.settings.items():
            if content.get(key) != value:
                raise DataError(
                    self.path,
                    f'{key} {content.get(key)!r}',
                    repr(value),
                    'use another directory, or the arguments that these files were generated with',
                )

    def _refuse_files_of_others(self) -> None:
        for suite in SUITES.values():
            for name in suite.file_names():
                if (self.directory / name).exists():
                    raise DataError(
                        self.directory / name,
                        f'a file of {suite.name}, and no {MARK} that says it was generated',
                        'a directory without such files: published ones are not overwritten',
                        'use another directory',
                    )

    def _store(self) -> None:
        content = dict(
            self.settings,
            generator=f'pcdet_kd {__version__}',
            numpy=np.__version__,
            files=dict(sorted(self.files.items())),
        )
        with atomic_write(self.path) as file:
            file.write((json.dumps(content, indent=1) + '\n').encode())
