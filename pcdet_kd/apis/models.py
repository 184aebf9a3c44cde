"""Models by name, from a config, or from a checkpoint."""

import fnmatch
import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from mmengine.config import Config
from torch import nn

from pcdet_kd.engine.config import load_config
from pcdet_kd.registry import MODELS, did_you_mean
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights, meta_of
from pcdet_kd.utils.config_root import PREFIX, config_root
from pcdet_kd.utils.stored_model import build_stored_model
from pcdet_kd.utils.student import student_config, student_weights


class ModelInfo(NamedTuple):
    """A model that a config and its metafile describe.

    Attributes:
        name: The config's name without ``.py``, after the method's if another config has the same
            one.
        family: Collection in the metafile.
        config: Path of the config.
        metadata: ``Parameters``, ``Training Data``, and what else the metafile says.
        results: Published or own results: ``Dataset``, ``Metrics``, ``Source`` and ``Protocol``
            each.
    """

    name: str
    family: str
    config: Path
    metadata: dict[str, Any]
    results: list[dict[str, Any]]


def model_infos() -> dict[str, ModelInfo]:
    """Return every model of the metafiles that ``model-index.yml`` names, by name, in their
    order.
    """
    root = config_root()
    infos = {}
    for file in yaml.safe_load((root / 'model-index.yml').read_text(encoding='utf-8'))['Import']:
        for entry in yaml.safe_load((root / file).read_text(encoding='utf-8')).get('Models', []):
            infos[entry['Name']] = ModelInfo(
                entry['Name'],
                entry.get('In Collection', ''),
                root / entry['Config'],
                entry.get('Metadata', {}),
                entry.get('Results', []),
            )
    return infos


def list_models(pattern: str | None = None) -> list[str]:
    """Return the names of all models that match a pattern (None: of all), sorted.

    Args:
        pattern: A shell pattern such as ``'dgcnn*'``, or part of a name; upper and lower case are
            the same.
    """
    pattern = (pattern or '*').lower()
    if not any(c in pattern for c in '*?['):
        pattern = f'*{pattern}*'
    return sorted(name for name in model_infos() if fnmatch.fnmatchcase(name.lower(), pattern))


def model_config(name_or_path: str | os.PathLike) -> Path:
    """Return the path of a model's config by its name, or a config's path as it is.

    ``pcdet_kd::`` stands for the folder of the shipped configs.

    Raises:
        FileNotFoundError: There is neither such a file nor such a model.
    """
    if str(name_or_path).startswith(PREFIX):
        return config_root() / 'configs' / str(name_or_path).removeprefix(PREFIX)
    path = Path(name_or_path)
    if path.is_file() or path.suffix == '.py':  # load_config names the files that are there
        return path
    infos = model_infos()
    if str(name_or_path) not in infos:
        raise FileNotFoundError(
            f"'{name_or_path}' is neither a config nor a model."
            f"{did_you_mean(str(name_or_path), infos)} 'pcdet-kd models' lists all models"
        )
    return infos[str(name_or_path)].config


def get_model(
    name: str,
    pretrained: str | os.PathLike | bool = False,
    device: str | torch.device = 'cpu',
    **options: Any,
) -> nn.Module:
    """Build a model by name.

    Args:
        name: One of :func:`list_models`.
        pretrained: Path of a checkpoint to load, of ours or converted; False: fresh weights.
        device: Where to put it.
        **options: Values of the config's own variables, or dotted paths in a dict:
            ``**{'model.head.num_classes': 10}``.

    Returns:
        The model in training mode; a distiller's student, if the config trains one.

    Raises:
        ValueError: An unknown name, or ``pretrained=True``: this project hosts no weights.
        CheckpointError: The checkpoint does not fit.
    """
    infos = model_infos()
    if name not in infos:
        raise ValueError(
            f"no model '{name}'.{did_you_mean(name, infos)} list_models() returns all {len(infos)}"
        )
    if pretrained is True:
        raise ValueError(
            f"get_model('{name}', pretrained=True): no weights are hosted; give the path of a "
            'checkpoint '
            '(tools/model_converters/from_official.py converts published ones)'
        )
    return init_model(infos[name].config, pretrained or None, device, options).train()


def init_model(
    config: str | os.PathLike | Config | None = None,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device = 'cpu',
    options: dict[str, Any] | None = None,
) -> nn.Module:
    """Build the model of a config for inference and load its weights.

    Args:
        config: Path of a config, name of a model, or a loaded config; None takes the model that
            the checkpoint describes, as converted ones and exported students do. Such a
            description may name registered parts and plain values only.
        checkpoint: Weights of the model, or of a distiller that trained it (its student is taken);
            None: fresh ones.
        device: Where to put it.
        options: As ``--cfg-options``.

    Returns:
        The model in eval mode. ``model.dataset_meta`` holds the classes if the checkpoint does.

    Raises:
        ValueError: Neither a config nor a checkpoint that describes its model.
        CheckpointError: The checkpoint does not fit.
    """
    weights, meta, source = {}, {}, os.fspath(checkpoint or '')
    if checkpoint is not None:
        content = load_checkpoint_file(checkpoint)
        weights, meta = student_weights(content, source), meta_of(content, source)
    if config is not None:
        if not isinstance(config, Config):
            config = load_config(model_config(config), options)
        model = MODELS.build(student_config(config.model))
    elif 'model' in meta:
        model = build_stored_model(meta['model'], weights, source)
    else:
        raise ValueError(
            f'init_model needs a config: {source} does not describe its model'
            if source
            else 'init_model needs a config, or a checkpoint that describes its model'
        )
    if checkpoint is not None:
        load_weights(model, weights, source=source)
        if meta.get('dataset_meta'):
            model.dataset_meta = meta['dataset_meta']
    return model.to(device).eval()
