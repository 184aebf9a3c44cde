"""SIGTERM and Ctrl-C end a run in two lines of text, and it can be resumed."""

import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, is_distributed
from mmengine.hooks import Hook

from pcdet_kd.registry import HOOKS


class StoppedBySignal(Exception):
    """A run was stopped by a signal, in good order.

    Attributes:
        exit_code: What the process should exit with: 130 after Ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@HOOKS.register_module()
class StopSignalHook(Hook):
    """On SIGINT or SIGTERM, finishes the current iteration and raises :class:`StoppedBySignal`.

    The epoch in progress is trained again on resume, with the same result. A second signal ends the
    process at once, as without this hook; not so in a distributed run, where the processes agree
    every ``agree_every`` iterations, so that none waits for one that has left.

    Args:
        command: The command that resumes the run, for the message. None means the command that was
            given.
        agree_every: Iterations between two agreements of a distributed run.
    """

    priority = 'LOWEST'
    codes = {signal.SIGINT: 130, signal.SIGTERM: 143}

    def __init__(self, command: str | None = None, agree_every: int = 10) -> None:
        if agree_every < 1:
            raise ValueError(f'agree_every is {agree_every}, must be at least 1')
        self.command = command
        self.agree_every = agree_every
        self._received = 0
        self._before: dict[int, Any] = {}

    def before_train(self, runner: Any) -> None:
        self._received, self._pid = 0, os.getpid()
        if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
            self._before = {number: signal.signal(number, self._receive) for number in self.codes}

    def _receive(self, number: int, frame: Any) -> None:
        if (
            not is_distributed()
        ):  # there, torchrun passes on a signal that the terminal has sent to all already
            self._restore()
        if os.getpid() == self._pid:
            self._received = number
        elif (
            number == signal.SIGTERM
        ):  # in a forked process that has not set up its own handling yet
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        self._stop_if_asked(
            runner,
            batch_idx,
            f'epoch {runner.epoch + 1}, iteration {batch_idx + 1} of '
            f'{len(runner.train_dataloader)}',
        )

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self._stop_if_asked(runner, batch_idx, f'the validation after epoch {runner.epoch}')

    def before_train_epoch(self, runner: Any) -> None:
        self._stop_if_asked(runner, self.agree_every - 1, f'the end of epoch {runner.epoch}')

    def _stop_if_asked(self, runner: Any, batch_idx: int, where: str) -> None:
        number = self._received
        if is_distributed():
            if (batch_idx + 1) % self.agree_every:
                return
            flag = torch.tensor(number)
            all_reduce(flag, 'max')
            number = int(flag)
        if not number:
            return
        if not any(Path(runner.work_dir).glob('epoch_*.pth')):
            advice = 'No epoch was finished; start again with'
        else:
            advice = 'Every finished epoch is saved; resume with'
        raise StoppedBySignal(
            f'Stopped by {signal.Signals(number).name} at {where}.\n'
            f'{advice}: {self.command or _given_command()}',
            self.codes[number],
        )

    def after_exit(self, runner: Any) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}


def _given_command() -> str:
    """The command as given: ours go on by themselves where they stopped."""
    argv = list(sys.argv)
    return shlex.join(
        [os.path.basename(sys.executable), *argv] if argv and argv[0].endswith('.py') else argv
    )
