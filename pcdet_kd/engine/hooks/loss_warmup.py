"""Loss weights that grow over the first epochs."""

from typing import Any

from pcdet_kd.engine.hooks.schedule import ScheduleHook
from pcdet_kd.registry import HOOKS


@HOOKS.register_module()
class LossWarmupHook(ScheduleHook):
    """Multiply a distiller's loss weight by min((epoch + first) / epochs, 1), with epochs counted
    from 0.

    It depends on the epoch alone, so that runs resume exactly. After training the weight is the
    config's again.

    Args:
        loss: Name of the loss in the distiller, such as ``'graph'`` of JGEKD; in a combination
            with the name of the method, ``'jgekd.graph'``.
        epochs: Epochs until the full weight.
        first: 0: the first epoch has weight 0 (JGEKD's published run, with 20 epochs); 1: it has 1
            / epochs (the later code DesenAT, with 5).
    """

    def __init__(self, loss: str, epochs: int, first: int = 0) -> None:
        if first < 0:
            raise ValueError(f'first is {first}, must not be negative')
        super().__init__(loss, 0, epochs=epochs)
        self.first = first

    def progress(self, runner: Any) -> float:
        return (runner.epoch + self.first) / self.epochs

    def find(self, model: Any) -> tuple[Any, str]:
        losses = dict(getattr(model, 'losses', {}))
        for method, part in getattr(model, 'methods', {}).items():
            losses.update({f'{method}.{name}': loss for name, loss in part.losses.items()})
        if self.attribute not in losses:
            raise ValueError(
                f"LossWarmupHook: {type(model).__name__} has no loss '{self.attribute}', it has "
                f'{sorted(losses)}'
            )
        return losses[self.attribute], 'loss_weight'
