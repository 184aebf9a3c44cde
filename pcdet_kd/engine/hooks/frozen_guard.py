"""A check that frozen teachers do not change."""

from typing import Any

from mmengine.hooks import Hook
from torch import nn

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.student import unwrapped


@HOOKS.register_module()
class FrozenGuardHook(Hook):
    """Compares the hash of every frozen teacher's weights (BN statistics included) with that at the
    start of training.

    It is compared after every epoch, before a checkpoint is written. Looks at the model's
    ``teachers`` that offer ``weights_hash()``; a teacher with a true ``persistent`` is trained on
    purpose (an EMA) and left out.
    """

    priority = 'HIGH'

    def __init__(self) -> None:
        self._hashes = {}

    def before_train(self, runner: Any) -> None:
        teachers = frozen_teachers(runner.model)
        for name, teacher in teachers.items():
            trained = (
                [n for n, p in teacher.named_parameters() if p.requires_grad]
                if isinstance(teacher, nn.Module)
                else []
            )
            if trained:
                raise RuntimeError(
                    f"teacher '{name}' is not frozen: {len(trained)} of its parameters require a "
                    f"gradient, the first is '{trained[0]}'. Call requires_grad_(False) on it"
                )
        self._hashes = {name: teacher.weights_hash() for name, teacher in teachers.items()}

    def after_train_epoch(self, runner: Any) -> None:
        for name, teacher in frozen_teachers(runner.model).items():
            if teacher.weights_hash() != self._hashes[name]:
                raise RuntimeError(
                    f"teacher '{name}' changed during epoch {runner.epoch + 1}, though it is "
                    'frozen. Look for an optimiser that has it, a batch norm in train mode, or a '
                    'hook that writes to all parameters'
                )


def frozen_teachers(model: nn.Module) -> dict[str, Any]:
    """Return a model's teachers and frozen helpers: what offers ``weights_hash()`` and is not
    persistent, by name.
    """
    model = unwrapped(model)
    parts = {**(getattr(model, 'teachers', None) or {}), **(getattr(model, 'helpers', None) or {})}
    for method, part in getattr(model, 'methods', {}).items():
        own = {**part.teachers, **part.helpers}
        parts.update({f'{method}.{name}': found for name, found in own.items()})
    if getattr(model, 'teacher', None) is not None:
        parts['teacher'] = model.teacher
    return {
        name: p
        for name, p in parts.items()
        if hasattr(p, 'weights_hash') and not getattr(p, 'persistent', False)
    }
