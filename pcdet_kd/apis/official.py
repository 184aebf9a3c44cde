"""Turning the state dicts of published code into ours."""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pcdet_kd.apis.official_archs import OFFICIAL, Official
from pcdet_kd.apis.official_keys import Weights
from pcdet_kd.registry import MODELS, did_you_mean
from pcdet_kd.utils.checkpoint import CheckpointError, save_checkpoint_file
from pcdet_kd.utils.files import file_sha256
from pcdet_kd.utils.foreign_checkpoint import read_foreign_checkpoint


class Conversion(NamedTuple):
    """What became of every key.

    Attributes:
        weights: Our state dict.
        renamed: (official key, our key), in the order of the file.
        left: Official keys that our model does not need, by rule.
        model: Config of the model that the weights fit, with its number of classes.
    """

    weights: Weights
    renamed: list[tuple[str, str]]
    left: list[str]
    model: dict[str, Any]


def convert_official(
    weights: Weights, official: Official, source: str = 'the state dict'
) -> Conversion:
    """Rename and reshape the weights of a published network; all our keys must be
    filled, and all of theirs used or left out by a rule.

    1x1 convolutions (O, I, 1) and (O, I, 1, 1) become linear layers (O, I).

    Raises:
        CheckpointError: A key that no rule knows, two keys for one of ours, one of ours that is not
            filled, another shape, or a number that is not finite.
    """
    renamed, left, unknown = [], [], []
    prefix = next((p for p in official.prefixes if any(key.startswith(p) for key in weights)), '')
    left += [key for key in weights if not key.startswith(prefix)]
    weights = {
        key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)
    }
    if official.prepare is not None:
        before = list(weights)
        try:
            weights = official.prepare(weights)
        except CheckpointError as error:
            raise CheckpointError(f'{source} is not {official.source}: {error}') from None
        left += [prefix + key for key in before if key not in weights]
    if bad := [
        key
        for key, value in weights.items()
        if value.is_floating_point() and not value.isfinite().all()
    ]:
        raise CheckpointError(
            f"{source}: '{bad[0]}' holds NaN or infinity; the training that made it had failed"
        )
    ours = {}
    for key, value in weights.items():
        match, replacement = next(
            ((m, r) for p, r in official.rules if (m := re.fullmatch(p, key))), (None, None)
        )
        if match is None:
            unknown.append(key)
        elif replacement is None:
            left.append(prefix + key)
        else:
            name = match.expand(replacement)
            if name in ours:
                raise CheckpointError(f"{source}: '{key}' and another key both become '{name}'")
            ours[name] = value
            renamed.append((prefix + key, name))
    if unknown:
        raise CheckpointError(
            f'{source} is not {official.source}: {len(unknown)} of {len(weights)} keys are '
            f'unknown, such as {", ".join(unknown[:5])}'
        )
    config = _with_classes(official, ours, source)
    expected = _shapes(config)
    missing = [
        key for key in expected if key not in ours and not key.endswith('num_batches_tracked')
    ]
    if missing:
        raise CheckpointError(
            f'{source} is not {official.source}: {len(missing)} of {len(expected)} weights of '
            f'our model are missing in it, such as {", ".join(missing[:5])}'
        )
    converted = {}
    for key, shape in expected.items():
        value = ours.get(key, torch.tensor(0))
        if value.shape != shape and value.shape == shape + (1,) * (value.dim() - len(shape)):
            value = value.reshape(shape)
        if value.shape != shape:
            theirs = next(old for old, new in renamed if new == key)
            raise CheckpointError(
                f"{source}: '{theirs}' ('{key}' here) has shape {tuple(ours[key].shape)}, expected "
                f'{tuple(shape)} as in {official.source}'
            )
        converted[key] = value.clone()
    if extra := [key for key in ours if key not in expected]:
        raise CheckpointError(f'{source}: our model has no {", ".join(extra[:5])}')
    return Conversion(converted, renamed, left, config)


def convert_file(
    path: str | os.PathLike, output: str | os.PathLike, arch: str
) -> tuple[Conversion, list[str]]:
    """Convert a published checkpoint file and write ours: ``state_dict``, and ``meta`` with the
    model's config and origin.

    Returns:
        What became of every key, and the names of Python objects in the file that were not read.

    Raises:
        CheckpointError: An unknown ``arch``, a file that cannot be read, weights that do not fit
            (the message names the ``arch`` that they would), or an output that is the published
            file itself or named as another format.
    """
    if arch not in OFFICIAL:
        raise CheckpointError(
            f"--arch is '{arch}', expected one of "
            f'{", ".join(OFFICIAL)}.{did_you_mean(arch, OFFICIAL)}'
        )
    if Path(output).suffix == '.safetensors':
        raise CheckpointError(f'{output}: the result is a PyTorch file; give it a name with .pth')
    if Path(output).expanduser().resolve() == Path(path).expanduser().resolve():
        raise CheckpointError(
            f'{output} is the published file itself; give the result another name'
        )
    found = read_foreign_checkpoint(path)
    try:
        conversion = convert_official(found.weights, OFFICIAL[arch], os.fspath(path))
    except CheckpointError as error:
        fitting = fitting_archs(found.weights)
        hint = f'; it fits --arch {" or ".join(fitting)}' if fitting else ''
        raise CheckpointError(f'{error}{hint}') from None
    meta = dict(
        arch=arch,
        converted_from=OFFICIAL[arch].source,
        file_sha256=file_sha256(path),
        model=conversion.model,
    )
    save_checkpoint_file(dict(state_dict=conversion.weights, meta=meta), output)
    return conversion, found.inert


def fitting_archs(weights: Weights) -> list[str]:
    """Return the names of the published networks whose weights these are."""
    return [name for name, official in OFFICIAL.items() if _fits(weights, official)]


def _fits(weights: Weights, official: Official) -> bool:
    try:
        convert_official(weights, official)
    except CheckpointError:
        return False
    return True


def _with_classes(official: Official, ours: Weights, source: str) -> dict[str, Any]:
    config = dict(official.model)
    if 'head' in config and 'num_classes' not in config['head']:
        if official.classes not in ours or not ours[official.classes].dim():
            raise CheckpointError(
                f"{source} is not {official.source}: no matrix in it becomes '{official.classes}'"
            )
        classes = len(ours[official.classes])
        config.update(
            head=dict(config['head'], num_classes=classes),
            backbone=dict(config['backbone'], **official.by_classes.get(classes, {})),
        )
    return config


def _shapes(config: dict[str, Any]) -> dict[str, torch.Size]:
    with torch.device('meta'):
        model = MODELS.build(config)
    return {key: value.shape for key, value in model.state_dict().items()}
