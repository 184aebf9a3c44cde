"""Errors a person can act on."""


class UserError(Exception):
    """What a person can put right. Commands show its message without a traceback."""


class DataError(UserError, ValueError):
    """A file or directory of a data set is missing or malformed.

    Args:
        file: The file or directory, and the sample in it if one is to blame.
        found: What is there.
        expected: What should be there.
        fix: What to do: a command where there is one.
    """

    def __init__(self, file: object, found: str, expected: str, fix: str) -> None:
        super().__init__(file, found, expected, fix)

    def __str__(self) -> str:
        file, found, expected, fix = self.args
        return f'{file}\n  found:    {found}\n  expected: {expected}\n  fix:      {fix}'


class MissingPackageError(UserError, ImportError):
    """An optional package is not installed."""


class SampleError(UserError, ValueError):
    """A sample could not be read or transformed; the message names the data set, the sample and the
    step.
    """
