"""Progress bars of training, validation and test on a terminal."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.progress import progress_bar


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Shows a bar for training as a whole, with the loss, and one for each validation and test that
    takes more than two seconds.

    It is there by default and does nothing where the standard error is not a terminal; the log's
    lines show the progress there.
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self._training = self._evaluation = None

    def before_train_epoch(self, runner: Any) -> None:
        if self._training is None and _shows():
            self._training = progress_bar(
                total=runner.max_iters, initial=runner.iter, unit='batch', leave=False, delay=0
            )
        if self._training is not None:
            self._training.set_description(f'epoch {runner.epoch + 1}/{runner.max_epochs}')

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        if self._training is not None:
            if outputs and 'loss' in outputs:
                self._training.set_postfix_str(
                    f'loss {outputs["loss"].detach().item():.3f}', refresh=False
                )
            self._training.update()

    def after_train(self, runner: Any) -> None:
        self._training = _closed(self._training)

    def before_val_epoch(self, runner: Any) -> None:
        self._start('validation', runner.val_dataloader)

    def before_test_epoch(self, runner: Any) -> None:
        if not hasattr(runner.test_loop, 'bar'):  # the loop over a suite has its own
            self._start('test', runner.test_dataloader)

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        if self._evaluation is not None:
            self._evaluation.update()

    after_test_iter = after_val_iter

    def after_val_epoch(self, runner: Any, metrics: Mapping | None = None) -> None:
        self._evaluation = _closed(self._evaluation)

    after_test_epoch = after_val_epoch

    def after_run(self, runner: Any) -> None:
        self._training = _closed(self._training)
        self._evaluation = _closed(self._evaluation)

    def _start(self, title: str, loader: Any) -> None:
        if _shows():
            self._evaluation = progress_bar(
                total=len(loader), desc=title, unit='batch', leave=False
            )


def _shows() -> bool:
    return sys.stderr.isatty() and is_main_process()


def _closed(bar: Any) -> None:
    if bar is not None:
        bar.close()
