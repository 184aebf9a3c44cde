"""The entries of a config by which a backbone starts from trained weights."""

import os
from pathlib import Path
from typing import Any

from mmengine.config import Config

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.models.pretrained_backbone import PretrainedBackbone
from pcdet_kd.utils.student import student_config


def start_backbone(cfg: Config, file: str | os.PathLike, source: str | Path = 'config') -> None:
    """Let the backbone of a config's model, or of its student, start from a file of weights.

    Args:
        cfg: The config, which is changed.
        file: Checkpoint; see :class:`~pcdet_kd.models.pretrained_backbone.PretrainedBackbone`.
        source: The config's file, for messages.

    Raises:
        ConfigError: The model has no backbone.
    """
    model = student_config(cfg.model)
    if not isinstance(model.get('backbone'), dict):
        problem = f'model: {model.get("type")} has no backbone that --load-backbone could fill'
        raise ConfigError(source, [problem])
    model['backbone']['init_cfg'] = dict(type='PretrainedBackbone', checkpoint=os.fspath(file))


def starts_backbone(node: Any) -> bool:
    """Whether a node of a config is the ``init_cfg`` of a backbone that starts from a file."""
    kinds = ('PretrainedBackbone', PretrainedBackbone)
    return isinstance(node, dict) and node.get('type') in kinds


def without_start(node: Any) -> Any:
    """Return a copy of a model's config in which no backbone starts from a file: a trained model
    has better weights.
    """
    if isinstance(node, dict):
        kept = {
            key: without_start(value)
            for key, value in node.items()
            if not (key == 'init_cfg' and starts_backbone(value))
        }
        return type(node)(kept)
    if isinstance(node, (list, tuple)):
        return type(node)(without_start(value) for value in node if not starts_backbone(value))
    return node
