"""What the student of a distiller is: in a config, in a model, in a state dict."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor, nn

from pcdet_kd.registry import DISTILLERS, MODELS
from pcdet_kd.utils.checkpoint import weights_of

_PREFIX = 'student.'


def is_distiller(model: Mapping | nn.Module) -> bool:
    """Whether a model's config, or a model inside any wrapper, is a registered distiller."""
    kind = model.get('type') if isinstance(model, Mapping) else type(unwrapped(model))
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    return isinstance(kind, type) and issubclass(kind, tuple(DISTILLERS.module_dict.values()))


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model inside wrappers for distributed training and for voting."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def student_config(model_cfg: Mapping) -> Mapping:
    """Return the config of a distiller's student; of any other model, its own config."""
    return model_cfg['student'] if is_distiller(model_cfg) else model_cfg


def student_of(model: nn.Module) -> nn.Module:
    """Return a distiller's student without wrappers; any other model, itself without wrappers."""
    return unwrapped(model).student if is_distiller(model) else unwrapped(model)


def student_weights(checkpoint: Any, source: str = 'checkpoint') -> dict[str, Tensor]:
    """Return the weights of a plain classifier, from its own checkpoint or from a distiller's.

    Args:
        checkpoint: A state dict, or a checkpoint with one inside.
        source: Name for messages.

    Raises:
        CheckpointError: It holds no weights.
    """
    weights = weights_of(checkpoint, source)
    student = OrderedDict(
        (key.removeprefix(_PREFIX), value)
        for key, value in weights.items()
        if key.startswith(_PREFIX)
    )
    return student or weights
