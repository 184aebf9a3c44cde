"""A number of the model that changes during training."""

import math
from typing import Any

from mmengine.hooks import Hook

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.student import unwrapped


@HOOKS.register_module()
class ScheduleHook(Hook):
    """Sets an attribute of a distiller before each iteration: a momentum, a temperature, a weight.

    The value follows from the iteration alone, so that runs resume exactly. After training the
    attribute has its former value.

    Args:
        attribute: Dotted path in the model, such as ``'teachers.ema.momentum'`` or
            ``'losses.cls.teacher_temperature'``.
        start: Value at the first iteration.
        end: Value at the end; None: the attribute's former value.
        epochs: Epochs until the end; None: all. Later iterations keep the end's value.
        curve: ``'linear'``, or ``'cosine'``: half a period.
    """

    only_for_distillers = True

    def __init__(
        self,
        attribute: str,
        start: float,
        end: float | None = None,
        epochs: float | None = None,
        curve: str = 'linear',
    ) -> None:
        check_choice('curve', curve, ('linear', 'cosine'))
        if epochs is not None and epochs <= 0:
            raise ValueError(f'epochs is {epochs}, must be positive')
        self.attribute = attribute
        self.start, self.end = start, end
        self.epochs = epochs
        self.curve = curve
        self._before = 0.0

    def progress(self, runner: Any) -> float:
        """Return the share of the way that is done; more than 1 after its end."""
        epochs = self.epochs
        steps = runner.max_iters if epochs is None else epochs * len(runner.train_dataloader)
        return runner.iter / steps

    def before_train(self, runner: Any) -> None:
        owner, name = self.find(unwrapped(runner.model))
        self._before = getattr(owner, name)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        progress = min(self.progress(runner), 1.0)
        if self.curve == 'cosine':
            progress = (1 - math.cos(math.pi * progress)) / 2
        end = self._before if self.end is None else self.end
        owner, name = self.find(unwrapped(runner.model))
        setattr(owner, name, self.start + (end - self.start) * progress)

    def after_train(self, runner: Any) -> None:
        owner, name = self.find(unwrapped(runner.model))
        setattr(owner, name, self._before)

    def find(self, model: Any) -> tuple[Any, str]:
        """Return the object that has the attribute, and the attribute's name."""
        *path, name = self.attribute.split('.')
        owner = model
        for part in path:
            owner = getattr(owner, part, None)
        if not isinstance(getattr(owner, name, None), (int, float)):
            raise ValueError(
                f"ScheduleHook: {type(model).__name__} has no number '{self.attribute}'"
            )
        return owner, name
