"""Teachers that follow their student."""

from typing import Any

from mmengine.hooks import Hook

from pcdet_kd.distillers import Distiller
from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.student import unwrapped


@HOOKS.register_module()
class EMATeacherHook(Hook):
    """Moves every :class:`EMATeacher` of a distiller after each step of the optimiser.


    It is there by default, and does nothing for models without such a teacher. With gradients
    accumulated over several iterations the teacher moves once per step. It runs before the
    schedulers, with the momentum of this iteration.
    """

    priority = 'ABOVE_NORMAL'

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        model = unwrapped(runner.model)
        if isinstance(model, Distiller) and runner.optim_wrapper.should_update():
            model.update_followers()  # the wrapper has counted this iteration
