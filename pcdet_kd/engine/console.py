"""A readable console: what nobody reads goes to the log file only."""

import logging
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tqdm import tqdm

from pcdet_kd.utils.progress import SECONDS_IN_A_FILE

_LONGEST = 24  # lines
_REPORTS = ('System environment', 'Config', 'Hooks will be executed')
_NOTES = ('Exp name: ', 'Distributed training is not used, all SyncBatchNorm')
# of MMEngine's log processor: loop, epoch, batch, batches; a line with metrics ends the loop
_BATCH = re.compile(r'Epoch\((train|val|test)\) *(?:\[ *\d+\])? *\[ *(\d+)/(\d+)\]')


class BriefFormatter(logging.Formatter):
    """Formats as another formatter does, but cuts messages of more than 24 lines down to their
    first words and a pointer.

    Args:
        formatter: Does the formatting.
        log_file: Where the whole message is.
    """

    def __init__(self, formatter: logging.Formatter, log_file: str) -> None:
        super().__init__()
        self.formatter = formatter
        self.log_file = log_file

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        lines = _lines(record)
        if len(lines) > _LONGEST:
            # the file's handler gets the same record: it must stay whole
            record = logging.makeLogRecord(vars(record))
            title = lines[0].strip().rstrip(':')
            what = f'{title}: {len(lines)} lines, in'
            if _is_report(title):
                what = 'log, with environment, config and hooks:'
            record.msg, record.args = f'{what} {self.log_file}', None
        return self.formatter.format(record)


class ConsoleFilter(logging.Filter):
    """Keeps lines off the console that help nobody there.

    Of MMEngine's reports at the start only the first passes, as a pointer to the log file. Names of
    experiments and the note on SyncBatchNorm do not. Progress within validation and test is shown
    every 30 seconds; on a terminal, where a bar shows it, progress within training is left out too.

    Args:
        terminal: Whether the console is a terminal.
        clock: Gives the time in seconds.
    """

    def __init__(self, terminal: bool, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.terminal = terminal
        self._clock = clock
        self._shown = clock()
        self._reported = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the console shows a record."""
        if record.levelno != logging.INFO:
            return True
        text = record.getMessage()
        if text.startswith(_NOTES):
            return False
        lines = _lines(record)
        if len(lines) > _LONGEST and _is_report(lines[0].strip()):
            first, self._reported = not self._reported, True
            return first
        batch = _BATCH.match(text)
        if batch is None or (batch[1] != 'train' and batch[2] == batch[3]):
            return True
        if batch[1] == 'train' or self.terminal:
            return not self.terminal
        now = self._clock()
        if now - self._shown < SECONDS_IN_A_FILE:
            return False
        self._shown = now
        return True


class _AboveBars:
    """A stream whose lines are written above the progress bars of a terminal."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with tqdm.external_write_mode(file=self._stream):
            self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def make_brief(logger: logging.Logger) -> None:
    """Shorten what a logger's console handlers show, if the logger also writes to a file; a line
    that the file does not take, as on a full disk, is an error.
    """
    files = [h.baseFilename for h in logger.handlers if isinstance(h, logging.FileHandler)]
    for handler in logger.handlers if files else ():
        if isinstance(handler, logging.FileHandler):
            handler.handleError = partial(_not_written, handler)
        elif type(handler) is logging.StreamHandler:
            terminal = handler.stream.isatty()
            if terminal:
                handler.stream = _AboveBars(handler.stream)
            handler.addFilter(ConsoleFilter(terminal))
            handler.setFormatter(BriefFormatter(handler.formatter or logging.Formatter(), files[0]))


def _not_written(handler: logging.FileHandler, record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if not isinstance(error, OSError):
        logging.Handler.handleError(handler, record)
        return
    error.filename = handler.baseFilename
    raise error


def _lines(record: logging.LogRecord) -> list[str]:
    return [line for line in record.getMessage().splitlines() if line.strip(' -')]


def _is_report(title: str) -> bool:
    return title.startswith(_REPORTS)
