"""A readable console: long messages go to the log file only."""

import logging

_LONGEST = 24  # lines


class BriefFormatter(logging.Formatter):
    """Formats as another formatter does, but cuts messages of more than 24 lines down to their
    first words and a pointer.

    MMEngine's reports of the environment, the config and all hooks are such messages.

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
        lines = [line for line in record.getMessage().splitlines() if line.strip(' -')]
        if len(lines) > _LONGEST:
            record = logging.makeLogRecord(
                vars(record)
            )  # the file's handler gets the same record: it must stay whole
            record.msg, record.args = (
                f'{lines[0].strip().rstrip(":")}: {len(lines)} lines, in {self.log_file}',
                None,
            )
        return self.formatter.format(record)


def make_brief(logger: logging.Logger) -> None:
    """Shorten what a logger's console handlers show, if the logger also writes to a file."""
    files = [
        handler.baseFilename
        for handler in logger.handlers
        if isinstance(handler, logging.FileHandler)
    ]
    for handler in logger.handlers:
        if (
            files
            and isinstance(handler, logging.StreamHandler)
            and not isinstance(handler, logging.FileHandler)
        ):
            handler.setFormatter(BriefFormatter(handler.formatter or logging.Formatter(), files[0]))
