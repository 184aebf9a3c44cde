"""Errors and interruptions as a person should see them."""

import errno
import functools
import os
import sys
from collections.abc import Callable

from pcdet_kd.utils.allocator import configure
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.stop import SignalHandlers, StoppedBySignal, stopped

_DISK = 'Free some space, or choose another --work-dir'
_ACCESS = 'Change its permissions, or choose another --work-dir'
_ADVICE = {
    errno.ENOSPC: _DISK,
    errno.EDQUOT: _DISK,
    errno.EROFS: 'The file system is read-only: choose another --work-dir',
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.ENOTDIR: 'A file is where a directory should be: move it away',
    errno.EISDIR: 'A directory is where a file should be: move it away',
    errno.EEXIST: 'Something else has this name: move it away',
    errno.ENOENT: 'Check the path',
}


def guarded(command: Callable[[], int | None]) -> Callable[[], int]:
    """Turn the errors a user can act on into a message without a traceback, and interruptions into
    exit codes.

    ``PCDET_KD_TRACEBACK=1`` shows the traceback too. Freed memory is kept in the process, before
    the first large tensor is made, unless ``PCDET_KD_MALLOC=default``.
    """

    @functools.wraps(command)
    def run() -> int:
        stops = []

        def stop(number: int) -> None:
            handlers.restore()  # a second signal ends the process at once
            stops.append(stopped(number))
            raise stops[0]

        handlers = SignalHandlers(stop)
        try:
            configure()
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
        except KeyboardInterrupt as error:
            end = error if isinstance(error, StoppedBySignal) else stopped(2)
            if os.environ.get('RANK', '0') == '0':  # all processes have stopped together
                print(f'\n{end}', file=sys.stderr)
            return end.exit_code
        except Exception as error:
            if stops:  # what fails while the command ends, such as a loader's process
                print(f'\n{stops[0]}', file=sys.stderr)
                return stops[0].exit_code
            message = message_of(error)
            if message is None or os.environ.get('PCDET_KD_TRACEBACK') == '1':
                raise
            print(f'error: {message}', file=sys.stderr)
            return 1
        finally:
            handlers.restore()

    return run


def message_of(error: Exception) -> str | None:
    """Return what to tell a person about an error, or None if it is a bug: it needs its
    traceback.
    """
    if isinstance(error, UserError) or (
        isinstance(error, FileNotFoundError) and error.errno is None
    ):
        return str(error)
    if isinstance(error, OSError) and error.errno in _ADVICE:
        where = f'{error.filename}: ' if error.filename is not None else ''
        return f'{where}{error.strerror} (error {error.errno}). {_ADVICE[error.errno]}'
    return None
