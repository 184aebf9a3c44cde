"""Errors and interruptions as a person should see them."""

import functools
import os
import sys
from collections.abc import Callable

from pcdet_kd.utils.allocator import configure


def guarded(command: Callable[[], int | None]) -> Callable[[], int]:
    """Turn the errors a user can act on into a message without a traceback, and interruptions into
    exit codes.

    ``PCDET_KD_TRACEBACK=1`` shows the traceback too. Freed memory is kept in the process, before
    the first large tensor is made, unless ``PCDET_KD_MALLOC=default``.
    """

    @functools.wraps(command)
    def run() -> int:
        try:
            configure()
        except ValueError as error:
            print(f'error: {error}', file=sys.stderr)
            return 2
        try:
            code = command() or 0
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            try:
                print(flush=True)  # another pipe may have broken: that of a loader process
            except BrokenPipeError:  # whoever read the output, such as `head`, has enough of it
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return 141  # as if ended by SIGPIPE
            raise
        except KeyboardInterrupt:
            print(
                '\nstopped; the same command goes on from the last finished epoch', file=sys.stderr
            )
            return 130
        except Exception as error:
            from pcdet_kd.engine import NonFiniteLossError, StoppedBySignal, WorkDirInUse
            from pcdet_kd.engine.config_check import ConfigError
            from pcdet_kd.engine.pipeline import StaleStageError
            from pcdet_kd.utils.checkpoint import CheckpointError
            from pcdet_kd.utils.errors import DataError, SampleError

            if isinstance(error, StoppedBySignal):
                print(f'\n{error}', file=sys.stderr)
                return error.exit_code
            plain = (
                CheckpointError,
                ConfigError,
                DataError,
                FileNotFoundError,
                NonFiniteLossError,
                SampleError,
                StaleStageError,
                WorkDirInUse,
            )
            if os.environ.get('PCDET_KD_TRACEBACK') == '1' or not isinstance(error, plain):
                raise
            print(f'error: {error}', file=sys.stderr)
            return 1

    return run
