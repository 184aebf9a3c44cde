import pytest

from pcdet_kd.cli.guard import guarded
from pcdet_kd.engine import StoppedBySignal
from pcdet_kd.utils.errors import DataError


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
    assert command() == 2 and 'PCDET_KD_MALLOC' in capsys.readouterr().err
