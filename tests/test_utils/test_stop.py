import os
import signal
import socket

import pytest

from pcdet_kd.utils.stop import (
    SignalHandlers,
    StoppedBySignal,
    ended_by_sigterm,
    leave_signals_to_parent,
    stopped,
)


def test_two_lines_and_an_exit_code(monkeypatch):
    monkeypatch.setattr('sys.argv', ['tools/train.py', 'my config.py'])
    stop = stopped(signal.SIGTERM, 'epoch 2', 'Resume with')
    assert isinstance(stop, StoppedBySignal) and stop.exit_code == 143
    first, second = str(stop).splitlines()
    assert first == 'Stopped by SIGTERM at epoch 2.'
    assert second.startswith('Resume with: python') and second.endswith("train.py 'my config.py'")
    assert str(stopped(signal.SIGINT, command='x')) == 'Stopped by SIGINT.\nTo resume, run: x'


def test_of_torchrun_only_that_it_was_there_is_known(monkeypatch):
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')
    assert str(stopped(15)).endswith('To resume, run: the command that started all processes')


def test_handlers_are_set_and_put_back():
    before, received = signal.getsignal(signal.SIGTERM), []
    handlers = SignalHandlers(received.append)
    os.kill(os.getpid(), signal.SIGTERM)
    handlers.restore()
    assert received == [signal.SIGTERM] and signal.getsignal(signal.SIGTERM) == before


def test_a_forked_process_ends_as_usual():
    handlers = SignalHandlers(pytest.fail)
    child = os.fork()
    if not child:
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(0)
    handlers.restore()
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM


def test_a_loaders_process_obeys_its_parent_alone():
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        leave_signals_to_parent()
        theirs.send(b'ready')
        theirs.recv(2)
        theirs.send(b'alive')
        signal.pause()
    assert ours.recv(5) == b'ready'
    stranger = os.fork()
    if not stranger:
        os.kill(child, signal.SIGTERM)
        os.kill(child, signal.SIGINT)
        os._exit(0)
    os.waitpid(stranger, 0)
    ours.send(b'go')
    assert ours.recv(5) == b'alive'
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == 0
    ours.close()
    theirs.close()


def test_the_end_of_a_loaders_process_is_recognised():
    error = RuntimeError('unexpectedly')
    assert not ended_by_sigterm(error)
    error.__cause__ = RuntimeError('DataLoader worker (pid 5) is killed by signal: Terminated. ')
    assert ended_by_sigterm(error)
