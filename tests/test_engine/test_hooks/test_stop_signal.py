import os
import signal
import time

import pytest
import torch
from mmengine.hooks import Hook

from pcdet_kd.engine import StoppedBySignal, StopSignalHook

IN_TRAINING = 'epoch 2, iteration 2 of 3'
IN_VALIDATION = 'the validation after epoch 2'
CASES = {  # name: (signal, to the whole group, options, where)
    'SIGTERM': (signal.SIGTERM, False, dict(workers=1), IN_TRAINING),
    'SIGINT': (signal.SIGINT, True, dict(workers=1), IN_TRAINING),
    'SIGTERM to the group': (
        signal.SIGTERM,
        True,
        dict(workers=2),
        IN_TRAINING,
    ),
    'in validation': (signal.SIGTERM, True, dict(workers=2, persistent=True), IN_VALIDATION),
}


@pytest.fixture(scope='module')
def marked(in_process, tmp_path_factory):
    """The work directories and processes of runs that wait for a signal, side by side."""
    runs = {}
    for name, (_, _, options, where) in CASES.items():
        work_dir = tmp_path_factory.mktemp('stopped')
        act = dict(type='ActHook', at=4, act='mark', file=str(work_dir / 'mark'))
        if where == IN_VALIDATION:
            act['act'] = 'mark in val'
        runs[name] = (
            work_dir,
            in_process(work_dir=str(work_dir), new_group=True, custom_hooks=[act], **options),
        )
    return runs


@pytest.mark.parametrize('case', CASES)
def test_a_signal_leaves_a_resumable_run_in_two_lines(case, marked, runner_of, tmp_path):
    number, group, options, where = CASES[case]
    work_dir, process = marked[case]
    mark = work_dir / 'mark'
    while not mark.exists():
        assert process.is_alive()
        time.sleep(0.02)
    (os.killpg if group else os.kill)(process.pid, number)
    mark.unlink()
    process.join(60)
    assert process.exitcode == {signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    lines = (work_dir / 'stopped.txt').read_text().splitlines()
    assert len(lines) == 2
    assert lines[0] == f'Stopped by {number.name} at {where}.'
    assert lines[1].startswith('Every finished epoch is saved; resume with: ')
    assert '.py' in lines[1] and '--resume' not in lines[1]
    assert not (work_dir / '.lock').exists()
    runner = runner_of(work_dir, resume=True)
    runner.train()
    whole = runner_of(tmp_path / 'whole')
    whole.train()
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, runner.model.state_dict()[key])


def test_handlers_are_restored(runner_of):
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    runner_of(epochs=1).train()
    with pytest.raises(TypeError):
        runner_of(custom_hooks=[dict(type='ActHook', at=0, act='raise')]).train()
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_before_the_first_epoch_there_is_nothing_to_resume(runner_of):
    class Stop(StopSignalHook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(
        StoppedBySignal, match='No epoch was finished; start again with: do it again'
    ):
        runner_of(default_hooks=dict(stop_signal=None), hooks=[Stop(command='do it again')]).train()


def test_a_signal_at_the_end_is_not_lost(runner_of, tmp_path):
    class Stop(StopSignalHook):
        def after_val_epoch(self, runner, metrics=None):
            os.kill(os.getpid(), signal.SIGTERM)

    runner = runner_of(epochs=1, default_hooks=dict(stop_signal=None), hooks=[Stop()])
    with pytest.raises(StoppedBySignal, match='at the end of epoch 1'):
        runner.train()
    assert (tmp_path / 'epoch_1.pth').is_file()


def test_an_error_of_a_loaders_process_is_another_error_without_sigterm(runner_of):
    def fail(error):
        class Fail(Hook):
            def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
                raise error

        runner_of(hooks=[Fail()]).train()

    with pytest.raises(RuntimeError, match='Killed'):
        fail(RuntimeError('DataLoader worker (pid 1) is killed by signal: Killed. '))
    with pytest.raises(StoppedBySignal, match='Stopped by SIGTERM at epoch 1'):
        fail(RuntimeError('DataLoader worker (pid 1) is killed by signal: Terminated. '))
