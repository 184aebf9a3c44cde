"""A momentum of batch norms that falls as training goes on."""

from typing import Any

from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

from pcdet_kd.registry import HOOKS


@HOOKS.register_module()
class BatchNormMomentumHook(Hook):
    """Sets the momentum of all batch norms that train to ``max(floor, initial * factor ** (time //
    step))``.

    As in PyTorch the momentum is the share of the new batch in the running statistics; TensorFlow's
    ``bn_decay`` is one minus that. RS-CNN's authors use 0.9, halved every 21 epochs; PointNet++'s
    and SimpleView's TensorFlow code 0.5, halved every 200,000 samples; all with a floor of 0.01.
    Batch norms in eval mode (frozen teachers) are left alone.

    Args:
        initial: Momentum at the start.
        factor: Its change after every ``step``.
        step: In epochs, or in iterations.
        floor: Smallest momentum.
        by_epoch: Whether ``step`` counts epochs.
    """

    def __init__(
        self,
        initial: float = 0.9,
        factor: float = 0.5,
        step: int = 21,
        floor: float = 0.01,
        by_epoch: bool = True,
    ) -> None:
        if not 0 < floor <= initial <= 1 or not 0 < factor <= 1 or step < 1:
            raise ValueError(
                f'initial is {initial}, factor {factor}, step {step} and floor {floor}: must be 0 '
                '< floor <= initial <= 1, 0 < factor <= 1 and step >= 1'
            )
        self.initial, self.factor, self.step, self.floor, self.by_epoch = (
            initial,
            factor,
            step,
            floor,
            by_epoch,
        )

    def momentum(self, time: int) -> float:
        """Return the momentum after ``time`` epochs or iterations."""
        return max(self.floor, self.initial * self.factor ** (time // self.step))

    def before_train_epoch(self, runner: Any) -> None:
        self._set(runner.model, self.momentum(runner.epoch if self.by_epoch else runner.iter))

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if not self.by_epoch and runner.iter % self.step == 0:
            self._set(runner.model, self.momentum(runner.iter))

    @staticmethod
    def _set(model: Any, momentum: float) -> None:
        for module in model.modules():
            if isinstance(module, _BatchNorm) and module.training:
                module.momentum = momentum
