"""Loss weights that grow over the first epochs."""

from typing import Any

from mmengine.hooks import Hook

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.student import unwrapped


@HOOKS.register_module()
class LossWarmupHook(Hook):
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

    only_for_distillers = True

    def __init__(self, loss: str, epochs: int, first: int = 0) -> None:
        if epochs < 1 or first < 0:
            raise ValueError(
                f'epochs is {epochs} and first is {first}, expected at least 1 and at least 0'
            )
        self.loss = loss
        self.epochs = epochs
        self.first = first
        self._full = None

    def before_train(self, runner: Any) -> None:
        self._full = self._find(runner).loss_weight

    def before_train_epoch(self, runner: Any) -> None:
        self._find(runner).loss_weight = self._full * min(
            (runner.epoch + self.first) / self.epochs, 1
        )

    def after_train(self, runner: Any) -> None:
        self._find(runner).loss_weight = self._full

    def _find(self, runner: Any) -> Any:
        model = unwrapped(runner.model)
        losses = dict(getattr(model, 'losses', {}))
        for method, part in getattr(model, 'methods', {}).items():
            losses.update({f'{method}.{name}': loss for name, loss in part.losses.items()})
        if self.loss not in losses:
            raise ValueError(
                f"LossWarmupHook: {type(model).__name__} has no loss '{self.loss}', it has "
                f'{sorted(losses)}'
            )
        return losses[self.loss]
