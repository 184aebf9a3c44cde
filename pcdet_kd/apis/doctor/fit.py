"""Which models the weights of a file fit."""

from collections.abc import Mapping

import torch
from torch import Tensor

from pcdet_kd.apis.models import model_infos
from pcdet_kd.engine.config import load_config
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.student import student_config

_STATISTICS = ('running_mean', 'running_var')


def count_parameters(weights: Mapping[str, Tensor]) -> int:
    """Return the number of parameters in a state dict: floats but for BatchNorm's statistics."""
    return sum(
        value.numel()
        for key, value in weights.items()
        if value.is_floating_point() and not key.endswith(_STATISTICS)
    )


def fitting_models(weights: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the shipped models, students of distillers, that a classifier's weights
    fit by name and shape.
    """
    count = count_parameters(weights)
    shapes = _shapes(weights)
    known: dict[str, bool] = {}
    found = []
    for name, info in model_infos().items():
        if info.metadata['Parameters'] != count:
            continue
        cfg = student_config(load_config(info.config).model)
        text = repr(cfg)
        if text not in known:
            with torch.device('meta'):
                known[text] = _shapes(MODELS.build(cfg).state_dict()) == shapes
        if known[text]:
            found.append(name)
    return found


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {
        key: tuple(value.shape)
        for key, value in weights.items()
        if not key.endswith('num_batches_tracked')
    }
