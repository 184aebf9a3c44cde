import os
import signal
import time

import pytest
import torch


@pytest.mark.parametrize('number, code', [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_a_resumable_run_in_two_lines(
    number, code, in_process, runner_of, tmp_path
):
    mark = tmp_path / 'mark'
    process = in_process(
        work_dir=str(tmp_path),
        workers=1,
        custom_hooks=[dict(type='ActHook', at=4, act='mark', file=str(mark))],
    )
    while not mark.exists():
        assert process.is_alive()
        time.sleep(0.02)
    os.kill(process.pid, number)
    mark.unlink()
    process.join(60)
    assert process.exitcode == code
    lines = (tmp_path / 'stopped.txt').read_text().splitlines()
    assert len(lines) == 2
    assert lines[0] == f'Stopped by {number.name} at epoch 2, iteration 2 of 3.'
    assert lines[1].startswith('Every finished epoch is saved; resume with: ')
    assert '.py' in lines[1] and '--resume' not in lines[1]
    assert not (tmp_path / '.lock').exists()
    runner = runner_of(resume=True)
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
    from pcdet_kd.engine import StoppedBySignal, StopSignalHook

    class Stop(StopSignalHook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(
        StoppedBySignal, match='No epoch was finished; start again with: do it again'
    ):
        runner_of(default_hooks=dict(stop_signal=None), hooks=[Stop(command='do it again')]).train()
