"""Teachers that follow their student."""

from typing import Any

from mmengine.hooks import Hook

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.student import unwrapped


@HOOKS.register_module()
class EMATeacherHook(Hook):
    """Moves every :class:`EMATeacher` of a distiller after each step of the optimiser.


    With gradients accumulated over several iterations it moves once per step. It runs before the
    schedulers, with the momentum of this iteration.
    """

    priority = 'ABOVE_NORMAL'
    only_for_distillers = True

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        if runner.optim_wrapper.should_update():  # it has counted this iteration
            unwrapped(runner.model).update_followers()
