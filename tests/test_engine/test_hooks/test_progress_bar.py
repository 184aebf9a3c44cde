import io
import sys
from types import SimpleNamespace

import pytest
import torch

from pcdet_kd.engine import ProgressBarHook


class Terminal(io.StringIO):
    def __init__(self, terminal=True):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def runner():
    return SimpleNamespace(
        max_iters=4,
        max_epochs=2,
        iter=0,
        epoch=0,
        val_dataloader=range(5),
        test_dataloader=range(6),
        test_loop=SimpleNamespace(),
    )


def train(hook, runner):
    hook.before_train(runner)
    for runner.epoch in range(2):
        hook.before_train_epoch(runner)
        for i in range(2):
            loss = torch.tensor(1.5, requires_grad=True)
            hook.after_train_iter(runner, i, outputs=dict(loss=loss))
            runner.iter += 1
    bar = hook._training
    hook.after_train(runner)
    return bar


def test_one_bar_for_all_epochs(runner, monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    hook = ProgressBarHook()
    bar = train(hook, runner)
    assert bar.n == bar.total == 4 and bar.disable, 'closed at the end'
    assert 'epoch 1/2' in sys.stderr.getvalue()
    assert bar.desc == 'epoch 2/2: ' and bar.postfix == 'loss 1.500'
    assert hook._training is None


def test_it_resumes_in_the_middle(runner, monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    runner.iter, hook = 2, ProgressBarHook()
    hook.before_train_epoch(runner)
    assert hook._training.n == 2
    hook.after_run(runner)
    assert hook._training is None


@pytest.mark.parametrize('split', ['val', 'test'])
def test_evaluation_has_its_own(split, runner, monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    hook = ProgressBarHook()
    getattr(hook, f'before_{split}_epoch')(runner)
    getattr(hook, f'after_{split}_iter')(runner, 0)
    bar = hook._evaluation
    assert bar.n == 1 and bar.total == {'val': 5, 'test': 6}[split]
    getattr(hook, f'after_{split}_epoch')(runner, {})
    assert hook._evaluation is None and bar.disable


def test_a_loop_with_a_bar_keeps_it(runner, monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    runner.test_loop.bar, hook = object(), ProgressBarHook()
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0)
    assert hook._evaluation is None


def test_there_is_none_in_a_file(runner, monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal(False))
    hook = ProgressBarHook()
    assert train(hook, runner) is None
    hook.before_val_epoch(runner)
    assert hook._evaluation is None and sys.stderr.getvalue() == ''
