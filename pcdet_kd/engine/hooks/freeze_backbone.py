"""A backbone that stays as it is while the head learns."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch.nn.parallel import DistributedDataParallel

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.student import student_of, unwrapped


@HOOKS.register_module()
class FreezeBackboneHook(Hook):
    """Keeps the student's backbone frozen and in eval mode: in the first epochs, or always.

    Frozen parameters have no gradient, so that no optimiser changes or decays them; in eval mode
    nothing is dropped, and batch norms use and keep their running statistics. It depends on the
    epoch alone, so that runs resume exactly. With several processes the model is wrapped
    anew whenever the parameters that train become others, because DistributedDataParallel waits
    for the gradients of all that trained when it was made.

    Args:
        epochs: Epochs in which it is frozen; None: all of them.
    """

    def __init__(self, epochs: int | None = None) -> None:
        if epochs is not None and epochs < 1:
            raise ValueError(
                f'epochs is {epochs}, must be at least 1, or None for a backbone that never trains'
            )
        self.epochs = epochs
        self.frozen = False
        self._parameters: list[Any] = []

    def before_train(self, runner: Any) -> None:
        """Freeze, unless the run is resumed after the last frozen epoch.

        Raises:
            ValueError: The model has no backbone, nothing else to train, or a wrapper other than
                DistributedDataParallel.
        """
        model = unwrapped(runner.model)
        backbone = getattr(student_of(model), 'backbone', None)
        if backbone is None:
            raise ValueError(f'FreezeBackboneHook: {type(model).__name__} has no backbone')
        if is_model_wrapper(runner.model) and not isinstance(runner.model, DistributedDataParallel):
            raise ValueError(
                f'FreezeBackboneHook: the model is wrapped in {type(runner.model).__name__}, '
                'expected none or DistributedDataParallel; leave model_wrapper_cfg or the hook out'
            )
        self._parameters = [p for p in backbone.parameters() if p.requires_grad]
        others = {p for p in model.parameters() if p.requires_grad} - set(self._parameters)
        if not others:
            raise ValueError('FreezeBackboneHook: nothing but the backbone could train')
        self.frozen = False
        self._set(runner)

    def before_train_epoch(self, runner: Any) -> None:
        self._set(runner)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if self.frozen:  # the loop puts the whole model into training mode
            student_of(runner.model).backbone.eval()

    def _set(self, runner: Any) -> None:
        frozen = self.epochs is None or runner.epoch < self.epochs
        if frozen == self.frozen:
            return
        self.frozen = frozen
        for parameter in self._parameters:
            parameter.requires_grad_(not frozen)
            parameter.grad = None
        if is_model_wrapper(runner.model):
            runner.model = runner.wrap_model(
                runner.cfg.get('model_wrapper_cfg'), unwrapped(runner.model)
            )
            runner._maybe_compile('train_step')  # as the Runner does with the first wrapper
        until = '' if self.epochs is None else f' for {self.epochs - runner.epoch} epochs'
        runner.logger.info(
            f'The backbone is frozen{until}: {sum(p.numel() for p in self._parameters):,} numbers'
            if frozen
            else 'The backbone trains from now on'
        )
