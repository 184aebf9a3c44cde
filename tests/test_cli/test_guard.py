import errno
import os
import re
import signal

import pytest

from pcdet_kd.cli.guard import guarded
from pcdet_kd.utils.errors import DataError, UserError
from pcdet_kd.utils.stop import StoppedBySignal


def test_what_a_user_can_mend_is_a_message(capsys):
    @guarded
    def command():
        raise DataError('file.h5', 'nothing', 'something', 'download it')

    assert command() == 1
    assert (
        capsys.readouterr().err
        == 'error: file.h5\n  found:    nothing\n  expected: something\n  fix:      download it\n'
    )


def test_a_bug_keeps_its_traceback(monkeypatch):
    @guarded
    def command():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_the_traceback_can_be_asked_for(monkeypatch):
    @guarded
    def command():
        raise DataError('a', 'b', 'c', 'd')

    monkeypatch.setenv('PCDET_KD_TRACEBACK', '1')
    with pytest.raises(DataError):
        command()


class Odd(UserError):
    pass


@pytest.mark.parametrize(
    'error, expected',
    [
        (Odd('turn it round'), 'error: turn it round\n'),
        (FileNotFoundError('no bank; build it'), 'error: no bank; build it\n'),
        (OSError(errno.ENOSPC, 'No space left on device'), 'No space left .*Free some space'),
        (OSError(errno.EROFS, 'Read-only file system', '/a/b'), r'/a/b: .*error 30\).*--work-dir'),
        (NotADirectoryError(errno.ENOTDIR, 'Not a directory', '/a/b'), '/a/b: .*move it away'),
    ],
)
def test_errors_that_a_person_can_act_on(error, expected, capsys):
    @guarded
    def command():
        raise error

    assert command() == 1
    text = capsys.readouterr().err
    assert re.search(expected, text) and text.startswith('error: ') and text.count('\n') == 1


@pytest.mark.parametrize('number, code', [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_at_any_time_ends_in_two_lines(number, code, capsys):
    before = signal.getsignal(number)

    @guarded
    def command():
        try:
            os.kill(os.getpid(), number)
        finally:
            raise RuntimeError('a loader process has gone')

    assert command() == code and signal.getsignal(number) == before
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2 and lines[0] == f'Stopped by {number.name}.'


def test_ctrl_c_is_two_lines_at_most(capsys):
    @guarded
    def command():
        raise KeyboardInterrupt

    assert command() == 130
    assert len(capsys.readouterr().err.strip().splitlines()) <= 2


def test_a_signal_gives_its_exit_code(capsys):
    @guarded
    def command():
        raise StoppedBySignal('stopped at epoch 3', 143)

    assert command() == 143 and capsys.readouterr().err == '\nstopped at epoch 3\n'


def test_one_of_many_processes_tells_of_a_signal(capsys, monkeypatch):
    @guarded
    def command():
        raise StoppedBySignal('stopped at epoch 3', 143)

    monkeypatch.setenv('RANK', '1')
    assert command() == 143 and capsys.readouterr().err == ''


def test_a_broken_pipe_that_is_not_the_output_is_an_error():
    @guarded
    def command():
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        command()


def test_success():
    assert guarded(lambda: None)() == 0


def test_freed_memory_is_kept_unless_the_user_says_otherwise(monkeypatch, capsys):
    from pcdet_kd.utils import allocator

    kept = []
    monkeypatch.setattr(allocator, 'keep_freed_memory', lambda: kept.append(True) or True)
    command = guarded(lambda: None)
    assert command() == 0 and not kept  # the tests' own environment turns it off
    monkeypatch.delenv('PCDET_KD_MALLOC')
    assert command() == 0 and kept
    monkeypatch.setenv('PCDET_KD_MALLOC', 'no')
    assert command() == 1 and 'PCDET_KD_MALLOC' in capsys.readouterr().err
