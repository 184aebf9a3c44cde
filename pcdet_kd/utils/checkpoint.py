"""Checkpoints: read without running code, written atomically, loaded into models strictly."""

import os
import pickle
import re
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.files import atomic_write, file_sha256
from pcdet_kd.utils.plain_values import plain_values

_WEIGHT_KEYS = (
    'state_dict',
    'model',
    'model_state_dict',
    'model_state',
    'net',
)  # where files of other projects keep them


class CheckpointError(UserError, RuntimeError):
    """A checkpoint is missing, damaged or does not fit; the message names the file, what was found
    and the fix.
    """


def checkpoint_damage(path: str | os.PathLike) -> str | None:
    """Say in words what is wrong with a local checkpoint file, or return None if it is whole.

    Files in torch's zip format are read through and compared with their checksums (torch itself
    does not do that); of the older pickle format only emptiness and foreign content can be told.
    """
    path = Path(path)
    size = path.stat().st_size
    if size == 0:
        return 'it is empty (0 bytes)'
    with open(path, 'rb') as file:
        start = file.read(512)
    if start.startswith(b'PK'):
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
                if unpacked > size:  # torch packs nothing
                    return f'it claims {unpacked:,} bytes of content in {size:,}'
                broken = archive.testzip()
        except Exception as error:  # zipfile and zlib have many
            return (
                f'it is truncated: the end of the archive is missing after {size:,} bytes ({error})'
            )
        return f"its content '{broken}' is damaged (checksum differs)" if broken else None
    if start.lstrip().lower().startswith((b'<!doctype', b'<html', b'<?xml')):
        return 'it is a web page (HTML), not a checkpoint; a login or error page was downloaded'
    if start.startswith(b'version https://git-lfs'):
        return "it is a Git LFS pointer; fetch the file with 'git lfs pull'"
    if not start.startswith(b'\x80'):
        return f'it is not a checkpoint (starts with {start[:8]!r})'
    return None


def load_checkpoint_file(
    path_or_url: str | os.PathLike,
    map_location: Any = 'cpu',
    trust: bool = False,
    sha256: str | None = None,
) -> Any:
    """Read a checkpoint from a file or an http(s) address. No code in it can run.

    Args:
        path_or_url: The file, or where to download it from (nothing is cached).
        map_location: Device of the tensors, as in :func:`torch.load`.
        trust: Also read pickled Python objects, **which runs any code that the file holds**; for
            local files of your own.
        sha256: Expected hash of the file (or the first 8 or more digits of it).

    Raises:
        CheckpointError: The file is missing, empty, truncated, damaged, HTML, has another hash, or
            holds Python objects.
    """
    name = os.fspath(path_or_url)
    if name.startswith(('http://', 'https://')):
        if trust and not sha256:
            raise CheckpointError(
                f'{name}: trust=True runs code from the network; give sha256 too, or download it '
                'yourself'
            )
        with tempfile.TemporaryDirectory(prefix='pcdet_kd_') as directory:
            file = Path(directory) / 'download.pth'
            try:
                torch.hub.download_url_to_file(name, str(file), progress=False)
            except (OSError, ValueError) as error:
                raise CheckpointError(f'{name} cannot be downloaded: {error}') from error
            return _read(file, name, map_location, trust, sha256)
    return _read(Path(name).expanduser(), name, map_location, trust, sha256)


def _read(file: Path, name: str, map_location: Any, trust: bool, sha256: str | None) -> Any:
    if not file.is_file():
        siblings = (
            sorted(p.name for p in file.parent.glob('*.pth'))[:5] if file.parent.is_dir() else []
        )
        there = (
            f'There are: {", ".join(siblings)}' if siblings else f'{file.parent} holds no .pth file'
        )
        raise CheckpointError(f'{name} is not a file. {there}')
    if sha256 and not file_sha256(file).startswith(sha256.lower()):
        raise CheckpointError(
            f'{name}: SHA-256 is {file_sha256(file)}, expected {sha256}; download it again'
        )
    damage = checkpoint_damage(file)
    if damage:
        raise CheckpointError(
            f'{name} cannot be used: {damage}. Download or copy it again, or take another '
            'checkpoint'
        )
    try:
        return torch.load(file, map_location=map_location, weights_only=not trust)
    except pickle.UnpicklingError as error:
        found = re.search(r'(?:GLOBAL|global) `?([\w.]+)', str(error))
        what = f'Python objects ({found[1]})' if found else 'Python objects'
        raise CheckpointError(
            f'{name} holds {what} beside tensors and plain values; reading those would run code '
            'from the file. If you made it yourself, load it with trust=True and save it again '
            'with save_checkpoint_file'
        ) from None
    except Exception as error:  # a damaged pickle fails in any way
        raise CheckpointError(
            f'{name} ({file.stat().st_size:,} bytes) cannot be read, it is probably truncated: '
            f'{first_line(error)}'
        ) from error


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its kind if it has none, as at the end of a
    cut pickle.
    """
    return next(iter(str(error).splitlines()), type(error).__name__)


def save_checkpoint_file(obj: Any, path: str | os.PathLike) -> None:
    """Write a checkpoint atomically: afterwards the file is whole, and if this fails the old one is
    untouched.

    Raises:
        TypeError: A value is neither a tensor nor plain, see :func:`plain_values`; nothing is
            written.
        OSError: The disk is full or read-only; names the path and, if full, the bytes.
    """
    plain = plain_values(obj)
    with atomic_write(path) as file:
        torch.save(plain, file)


def weights_of(checkpoint: Any, source: str = 'checkpoint') -> dict[str, Tensor]:
    """Return the state dict in a checkpoint: itself, or what is under ``state_dict``, ``model``
    ...; without ``module.``.
    """
    if isinstance(checkpoint, Mapping):
        for key in _WEIGHT_KEYS:
            if isinstance(checkpoint.get(key), Mapping):
                checkpoint = checkpoint[key]
                break
    if (
        not isinstance(checkpoint, Mapping)
        or not checkpoint
        or not all(isinstance(v, Tensor) for v in checkpoint.values())
    ):
        found = (
            f'a dict with keys {sorted(map(str, checkpoint))[:8]}'
            if isinstance(checkpoint, Mapping)
            else f'a {type(checkpoint).__name__}'
        )
        raise CheckpointError(
            f'{source} holds no weights: it is {found}, expected a dict of tensors, or one under '
            f'one of {", ".join(_WEIGHT_KEYS)}'
        )
    weights = OrderedDict((re.sub(r'^module\.', '', k), v) for k, v in checkpoint.items())
    if hasattr(checkpoint, '_metadata'):
        weights._metadata = checkpoint._metadata
    return weights


def meta_of(checkpoint: Any, source: str = 'checkpoint') -> dict[str, Any]:
    """Return what a checkpoint says about itself; nothing if it is only a state dict.

    Raises:
        CheckpointError: It is not a dict.
    """
    meta = checkpoint.get('meta', {}) if isinstance(checkpoint, Mapping) else checkpoint
    if not isinstance(meta, dict):
        raise CheckpointError(
            f"{source}: what it says about itself ('meta') is a {type(meta).__name__}, expected a "
            'dict. Take a checkpoint that this project wrote'
        )
    return meta


class LoadReport(NamedTuple):
    """Keys that :func:`load_weights` did not load: absent in the file, absent in the model, and of
    another shape.
    """

    missing: list[str]
    unexpected: list[str]
    mismatched: list[str]


def load_weights(
    model: nn.Module,
    state_or_path: Any,
    prefix: str = '',
    strict: bool = True,
    source: str | None = None,
) -> LoadReport:
    """Load weights into a model; what does not fit is an error, and then the model is unchanged.

    Args:
        model: The model.
        state_or_path: A state dict, a checkpoint with one inside, or the path or address of one.
        prefix: Take only the keys that start with it, without it (``'student.'`` reads the student
            of a distiller).
        strict: If False, load what fits by name and shape and return the rest.
        source: Name for messages.

    Raises:
        CheckpointError: Keys are missing, unexpected or of another shape (``strict``), or nothing
            fits at all.
    """
    if isinstance(state_or_path, (str, os.PathLike)):
        source = source or os.fspath(state_or_path)
        state_or_path = load_checkpoint_file(state_or_path)
    source = source or 'the state dict'
    weights = weights_of(state_or_path, source)
    metadata = getattr(weights, '_metadata', None)
    if prefix:
        prefix = prefix.rstrip('.') + '.'
        chosen = OrderedDict(
            (k[len(prefix) :], v) for k, v in weights.items() if k.startswith(prefix)
        )
        if not chosen:
            raise CheckpointError(
                f"{source} has no key that starts with '{prefix}'; its keys start with "
                f'{sorted({k.split(".")[0] for k in weights})[:8]}'
            )
        weights, metadata = chosen, None
    for name, part in model.named_modules():
        if hasattr(part, 'fit_to'):  # it has the size of the data, which the file knows
            start = f'{name}.' if name else ''
            part.fit_to({k[len(start) :]: v for k, v in weights.items() if k.startswith(start)})
    own = model.state_dict()
    report = LoadReport(
        [
            k for k in own if k not in weights and not k.endswith('num_batches_tracked')
        ],  # absent in files before torch 0.4.1
        [k for k in weights if k not in own],
        [k for k in own if k in weights and own[k].shape != weights[k].shape],
    )
    if strict and any(report):
        raise CheckpointError(_misfit(model, source, own, weights, report))
    fitting = OrderedDict(
        (k, v) for k, v in weights.items() if k in own and k not in report.mismatched
    )
    if not fitting and own:
        raise CheckpointError(_misfit(model, source, own, weights, report))
    if metadata is not None:
        fitting._metadata = metadata
    # Not strict here: keys that a module hides from its state_dict (a frozen teacher's) are not
    # missing.
    model.load_state_dict(fitting, strict=False)
    return report


def _misfit(
    model: nn.Module, source: str, own: Mapping, weights: Mapping, report: LoadReport
) -> str:
    def some(title: str, keys: list[str], describe: Callable[[str], str]) -> str:
        shown = ''.join(f'\n    {describe(k)}' for k in keys[:5])
        return (
            f'\n  {title} ({len(keys)}):{shown}'
            + (f'\n    and {len(keys) - 5} more' if len(keys) > 5 else '')
            if keys
            else ''
        )

    def shape(tensor: Tensor) -> str:
        return str(tuple(tensor.shape))

    text = f'{source} does not fit {type(model).__name__}:'
    text += some(
        'of another shape',
        report.mismatched,
        lambda k: f'{k}: file {shape(weights[k])}, model {shape(own[k])}',
    )
    text += some('missing in the file', report.missing, lambda k: f'{k} {shape(own[k])}')
    text += some('unknown to the model', report.unexpected, lambda k: f'{k} {shape(weights[k])}')
    hint = 'Check that it was trained with this config.'
    heads = {k.split('.')[0] for k in weights}
    for head in sorted(heads):
        if {k[len(head) + 1 :] for k in weights if k.startswith(f'{head}.')} >= set(own):
            hint = f"All of the model's keys are there under '{head}.': pass prefix='{head}.'"
    return f'{text}\n  {hint}'
