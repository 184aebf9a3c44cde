"""What the student of a distiller is: in a config, in a model, in a state dict."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor, nn

from pcdet_kd.registry import DISTILLERS, HOOKS, MODELS
from pcdet_kd.utils.checkpoint import weights_of

_PREFIX = 'student.'
# Where the weights of backbones are in checkpoints, those to evaluate first.
_BACKBONES = (
    ('teachers.ema.model.backbone.', 'the backbone of the EMA teacher'),
    ('student.backbone.', "the backbone of the distiller's student"),
    ('backbone.', 'the backbone of the classifier'),
)


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


def student_hooks(hooks: Sequence[Mapping]) -> list[Mapping]:
    """Return the configs of hooks that also make sense where a distiller's student trains alone:
    all but those of classes that say ``only_for_distillers``.
    """
    return [hook for hook in hooks if not _only_for_distillers(hook['type'])]


def _only_for_distillers(kind: str | type) -> bool:
    kind = HOOKS.get(kind) if isinstance(kind, str) else kind
    return getattr(kind, 'only_for_distillers', False)


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


def backbone_of(model: nn.Module) -> nn.Module:
    """Return the backbone that a model is evaluated by: its ``evaluated_backbone`` where it has one
    (that of AsymDSD's teacher), else its student's.

    Raises:
        ValueError: The model has no backbone.
    """
    inner = unwrapped(model)
    found = getattr(inner, 'evaluated_backbone', None)
    found = getattr(student_of(inner), 'backbone', None) if found is None else found
    if found is None:
        raise ValueError(f'{type(inner).__name__} has no backbone')
    return found


def backbone_weights(checkpoint: Any, source: str = 'checkpoint') -> tuple[dict[str, Tensor], str]:
    """Return the weights of the backbone in a checkpoint, and in words which one it is.

    That is the backbone of an EMA teacher if there is one, else a distiller's student's, else a
    classifier's; otherwise all weights, as those of a backbone alone.

    Args:
        checkpoint: A state dict, or a checkpoint with one inside.
        source: Name for messages.

    Raises:
        CheckpointError: It holds no weights.
    """
    weights = weights_of(checkpoint, source)
    for prefix, name in _BACKBONES:
        found = OrderedDict(
            (key.removeprefix(prefix), value)
            for key, value in weights.items()
            if key.startswith(prefix)
        )
        if found:
            return found, name
    return weights, 'a backbone alone'
