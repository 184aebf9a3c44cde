"""SIGTERM and Ctrl-C end a run with a message of two lines; it can be resumed."""

import signal
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, is_distributed
from mmengine.hooks import Hook

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.arguments import check_at_least
from pcdet_kd.utils.stop import SignalHandlers, StoppedBySignal, ended_by_sigterm, stopped


@HOOKS.register_module()
class StopSignalHook(Hook):
    """On SIGINT or SIGTERM, finishes the current iteration and raises :class:`StoppedBySignal`.

    The epoch in progress is trained again on resume, with the same result. SIGTERM may have ended
    the loader's processes too; the error that follows is replaced. A second signal ends the
    process at once, as without this hook; not so in a distributed run, where the processes agree
    every ``agree_every`` iterations, so that none waits for one that has left.

    Args:
        command: The command that resumes the run, for the message. None means the command that was
            given.
        agree_every: Iterations between two agreements of a distributed run.
    """

    priority = 'LOWEST'

    def __init__(self, command: str | None = None, agree_every: int = 10) -> None:
        check_at_least('agree_every', agree_every)
        self.command = command
        self.agree_every = agree_every
        self._received = 0
        self._where = 'the start'

    def before_train(self, runner: Any) -> None:
        self._received = 0
        self._handlers = SignalHandlers(self._receive)

    def _receive(self, number: int) -> None:
        self._received = number
        if not is_distributed():  # there, torchrun sends again what the terminal has sent to all
            self._handlers.restore()

    def before_train_epoch(self, runner: Any) -> None:
        self._stop_if_asked(runner, self.agree_every - 1, f'the end of epoch {runner.epoch}')
        self._where = f'epoch {runner.epoch + 1}'

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        length = len(runner.train_dataloader)
        self._stop_if_asked(
            runner, batch_idx, f'{self._where}, iteration {batch_idx + 1} of {length}'
        )

    def before_val_epoch(self, runner: Any) -> None:
        self._where = f'the validation after epoch {runner.epoch}'

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self._stop_if_asked(runner, batch_idx, self._where)

    def after_train(self, runner: Any) -> None:
        self._stop_if_asked(runner, self.agree_every - 1, f'the end of epoch {runner.epoch}')

    def _stop_if_asked(self, runner: Any, batch_idx: int, where: str) -> None:
        number = self._received
        if is_distributed():
            if (batch_idx + 1) % self.agree_every:
                return
            flag = torch.tensor(number)
            all_reduce(flag, 'max')
            number = int(flag)
        if number:
            raise self._stopped(runner, number, where)

    def _stopped(self, runner: Any, number: int, where: str) -> StoppedBySignal:
        if any(Path(runner.work_dir).glob('epoch_*.pth')):
            advice = 'Every finished epoch is saved; resume with'
        else:
            advice = 'No epoch was finished; start again with'
        return stopped(number, where, advice, self.command)

    def on_error(self, runner: Any, error: Exception) -> None:
        """Replace an error of training that SIGTERM has caused."""
        number = signal.SIGTERM if ended_by_sigterm(error) else self._received
        if number:
            raise self._stopped(runner, number, self._where) from None

    def after_exit(self, runner: Any) -> None:
        if hasattr(self, '_handlers'):
            self._handlers.restore()
