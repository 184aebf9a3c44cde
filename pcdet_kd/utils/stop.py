"""Ending in good order when a signal asks for it."""

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any


class StoppedBySignal(KeyboardInterrupt):
    """A command was stopped by a signal, in good order. ``except Exception`` does not catch it.

    Attributes:
        exit_code: What the process should exit with: 130 after Ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def stopped(
    number: int, where: str = '', advice: str = 'To resume, run', command: str | None = None
) -> StoppedBySignal:
    """Return the exception for a signal, with a message of two lines.

    Args:
        number: The signal.
        where: How far the work was.
        advice: What goes before the command in the second line.
        command: The command to run; None means the one that was given.
    """
    name = signal.Signals(number).name
    at = f' at {where}' if where else ''
    return StoppedBySignal(
        f'Stopped by {name}{at}.\n{advice}: {command or given_command()}', 128 + number
    )


def given_command() -> str:
    """Return the command as it was given; of one that torchrun started, only what can be known."""
    if 'TORCHELASTIC_RUN_ID' in os.environ:
        return 'the command that started all processes'
    argv = list(sys.argv)
    return shlex.join(
        [os.path.basename(sys.executable), *argv] if argv and argv[0].endswith('.py') else argv
    )


class SignalHandlers:
    """Handles Ctrl-C and SIGTERM in this process, until :meth:`restore`.

    A process that was forked from this one, and has set up no handling of its own yet, ends by
    SIGTERM as usual. Only the main thread can handle signals; elsewhere nothing is changed.

    Args:
        handle: Called with the signal's number.
    """

    def __init__(self, handle: Callable[[int], None]) -> None:
        self.handle = handle
        self.pid = os.getpid()
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            self.before = {
                number: signal.signal(number, self._receive)
                for number in (signal.SIGINT, signal.SIGTERM)
            }

    def _receive(self, number: int, frame: Any) -> None:
        if os.getpid() == self.pid:
            self.handle(number)
        elif number == signal.SIGTERM:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def restore(self) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}


def leave_signals_to_parent() -> None:
    """Keep this process running when Ctrl-C or SIGTERM is sent to a whole group of processes;
    SIGTERM from its parent ends it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A handler is not told who sent the signal, but a thread that waits for it is.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_obey, args=(os.getppid(),), daemon=True).start()


def _obey(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)


def ended_by_sigterm(error: BaseException | None) -> bool:
    """Whether an error says that SIGTERM ended one of torch's loader processes: it was sent to all
    processes of a command.
    """
    while error is not None:
        if 'is killed by signal: Terminated' in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
