"""Training from Python, by a config's file or a model's name."""

import os
from typing import Any

from pcdet_kd.apis.models import model_config
from pcdet_kd.engine import train as engine
from pcdet_kd.engine.train import TrainResult


def train(
    config: str | os.PathLike, options: dict[str, Any] | None = None, **settings: Any
) -> TrainResult:
    """Train a config and all that it requires; called again after a stop, it resumes.

    Args:
        config: A config's file, a model's name, or ``pcdet_kd::`` and the path of a shipped config.
        options: As ``--cfg-options``.
        **settings: The other arguments of :func:`pcdet_kd.engine.train.train`.

    Returns:
        What was trained: stages, their records and weights, test metrics.
    """
    return engine.train(model_config(config), options, **settings)
