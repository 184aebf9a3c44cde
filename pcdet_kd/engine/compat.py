"""What MMEngine 0.10.7 needs on today's torch, setuptools and Python, in one place.

:func:`apply` registers our checkpoint loaders and file backend through MMEngine's public extension
points, and swaps a few of its functions that no extension point reaches. Every swap is guarded:
where MMEngine no longer has the name, a warning says so, and a test fails. It works the same with
``onedl-mmengine``, which installs under the same import name.

Swapped: stdlib detection in configs (virtual environments count as the standard library's home),
``is_installed`` and ``get_installed_path`` (``pkg_resources`` is gone from setuptools 82), the YAML
loader (the default one runs code), the http checkpoint loader that torchvision:// and open-mmlab://
addresses call, the length of log histories (copied at each update: 0.2 to 0.4 ms per value at
100,000 entries), the formatter of config texts (the same text is formatted for every log, dump and
checkpoint, at up to a second each), the shell that asks a compiler for its version (it complains on
the console where there is none), and the finding of bases (``pcdet_kd::…`` is below our own
configs).
"""

import importlib
import importlib.metadata
import importlib.util
import inspect
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from types import SimpleNamespace
from typing import Any

import mmengine.config.config
import yaml
from mmengine.config import Config
from mmengine.fileio import LocalBackend, register_backend
from mmengine.logging import HistoryBuffer

from pcdet_kd.utils.checkpoint import load_checkpoint_file
from pcdet_kd.utils.config_root import PREFIX, config_root
from pcdet_kd.utils.errors import MissingPackageError
from pcdet_kd.utils.files import write_whole

try:
    with warnings.catch_warnings():  # MMEngine imports what torch has deprecated
        warnings.filterwarnings('ignore', '.*torch.jit', DeprecationWarning)
        from mmengine.runner import CheckpointLoader
except ImportError as error:
    if error.name != 'cv2':
        raise
    raise MissingPackageError(
        f'OpenCV, which MMEngine imports, cannot be loaded: {error}. On a machine without a '
        'desktop take its other build: '
        'pip install --force-reinstall --no-deps opencv-python-headless'
    ) from error

HISTORY_LENGTH = 10_000
applied: list[str] = []
skipped: list[str] = []
_formats_configs = ContextVar('formats_configs', default=True)


def apply() -> None:
    """Register and swap everything; doing it again changes nothing."""
    if applied:
        return
    register_backend('local', AtomicLocalBackend, force=True, prefixes='')
    CheckpointLoader.register_scheme('', load_from_local, force=True)
    CheckpointLoader.register_scheme(('http://', 'https://'), load_from_http, force=True)
    applied.extend(['fileio backend', 'checkpoint loaders'])
    _swap(
        ('mmengine.config.utils', 'mmengine.config.config'),
        '_is_builtin_module',
        is_standard_module,
    )
    places = ('mmengine.utils.package_utils', 'mmengine.utils', 'mmengine.config.config')
    _swap(places, 'is_installed', is_installed)
    _swap((*places, 'mmengine.hub.hub'), 'get_installed_path', get_installed_path)
    _swap(
        ('mmengine.fileio.handlers.yaml_handler',),
        'Loader',
        getattr(yaml, 'CSafeLoader', yaml.SafeLoader),
    )
    _swap(('mmengine.runner.checkpoint',), 'load_from_local', load_from_local)
    _swap(('mmengine.runner.checkpoint',), 'load_from_http', load_from_http)
    _swap(
        ('mmengine.config.config',),
        'FormatCode',
        _remembering(getattr(mmengine.config.config, 'FormatCode', None)),
    )
    _swap(('mmengine.utils.dl_utils.collect_env',), 'subprocess', _quiet_subprocess())
    _cap_history()
    _find_own_bases()


def _quiet_subprocess() -> SimpleNamespace:
    """Return ``subprocess`` with a ``check_output`` that shows no message of the command."""
    check_output = partial(subprocess.check_output, stderr=subprocess.DEVNULL)
    return SimpleNamespace(**{**vars(subprocess), 'check_output': check_output})


def _swap(modules: tuple[str, ...], name: str, replacement: Any) -> None:
    for path in modules:
        module = importlib.import_module(path)
        if not hasattr(module, name):
            _skip(f'{path}.{name}')
            continue
        setattr(module, name, replacement)
        applied.append(f'{path}.{name}')


def _skip(what: str) -> None:
    skipped.append(what)
    logging.getLogger(__name__).warning(
        'mmengine %s has no %s any more, which pcdet_kd replaces; checked with 0.10.7',
        importlib.import_module('mmengine').__version__,
        what,
    )


def _cap_history() -> None:
    defaults = HistoryBuffer.__init__.__defaults__ or ()
    names = list(inspect.signature(HistoryBuffer.__init__).parameters)
    if defaults and names[-1] == 'max_length' and isinstance(defaults[-1], int):
        HistoryBuffer.__init__.__defaults__ = (*defaults[:-1], HISTORY_LENGTH)
        applied.append('HistoryBuffer.max_length')
    else:
        _skip('HistoryBuffer(max_length=...)')


def _find_own_bases() -> None:
    original = getattr(Config, '_get_cfg_path', None)
    if original is None:
        _skip('Config._get_cfg_path')
        return

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(PREFIX):
            return str(config_root() / 'configs' / cfg_path.removeprefix(PREFIX)), None
        return original(cfg_path, filename)

    Config._get_cfg_path = staticmethod(get_cfg_path)
    applied.append('Config._get_cfg_path')


@contextmanager
def unformatted_configs() -> Iterator[None]:
    """In this block, the text of configs is valid Python, but not formatted: that takes seconds."""
    token = _formats_configs.set(False)
    try:
        yield
    finally:
        _formats_configs.reset(token)


def _remembering(format_code: Callable | None) -> Callable:
    """A formatter that does not format the same text again: yapf takes seconds for a nested
    config.
    """
    done = {}

    def remembered(text: str, **options: Any) -> Any:
        if not _formats_configs.get():
            return text, False
        key = text, repr(options)
        if key not in done:
            done[key] = format_code(text, **options)
        return done[key]

    return remembered


class AtomicLocalBackend(LocalBackend):
    """MMEngine's local files, with writes that are whole or not there."""

    def put(self, obj: bytes, filepath: str | os.PathLike) -> None:
        write_whole(filepath, obj)

    def put_text(self, obj: str, filepath: str | os.PathLike, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """MMEngine's loader of local checkpoints, safe and checked; see
    :func:`load_checkpoint_file`.
    """
    return load_checkpoint_file(filename, map_location or 'cpu')


def load_from_http(
    filename: str, map_location: Any = None, model_dir: str | None = None, progress: bool = False
) -> Any:
    """MMEngine's loader of http(s) checkpoints, safe and checked; nothing is cached, so
    ``model_dir`` must be None.
    """
    if model_dir is not None:
        raise ValueError(
            f"model_dir is '{model_dir}', but downloads are not cached; download the file there "
            'yourself'
        )
    return load_checkpoint_file(filename, map_location or 'cpu')


def is_standard_module(module_name: str) -> bool:
    """Whether a config may import this module without becoming a lazy config: Python's own ones and
    ``mmengine.config``.
    """
    top = module_name.split('.')[0]  # '' for a relative import
    return module_name.startswith('mmengine.config') or top in sys.stdlib_module_names


def is_installed(package: str) -> bool:
    """Whether a distribution or an importable package of this name is there."""
    with suppress(importlib.metadata.PackageNotFoundError):
        return bool(importlib.metadata.distribution(package))
    with suppress(ModuleNotFoundError):  # of a dotted name's parent
        return getattr(importlib.util.find_spec(package), 'origin', None) is not None
    return False


def get_installed_path(package: str) -> str:
    """Return the directory of an installed package, given its import name or its distribution's
    name.

    Works for editable installs and source layouts.

    Raises:
        importlib.metadata.PackageNotFoundError: There is no such package.
    """
    names = [package, package.replace('-', '_')]
    with suppress(importlib.metadata.PackageNotFoundError):
        text = importlib.metadata.distribution(package).read_text('top_level.txt')
        names += (text or '').split()
    owners = importlib.metadata.packages_distributions()  # by module
    for name in (*names, *(module for module, found in owners.items() if package in found)):
        origin = getattr(importlib.util.find_spec(name), 'origin', None)
        if origin is not None:
            return os.path.dirname(origin)
    raise importlib.metadata.PackageNotFoundError(package)
