from types import SimpleNamespace

import pytest
from torch import nn

from pcdet_kd.engine.hooks import LossWarmupHook
from pcdet_kd.losses import JointGraphEntropyLoss


def run(hook, start=0, epochs=8):
    """Return the weight of each epoch, and the one after training."""
    model = nn.Module()
    model.losses = nn.ModuleDict(dict(graph=JointGraphEntropyLoss(loss_weight=0.5)))
    runner, weights = SimpleNamespace(model=model, epoch=start), []
    hook.before_train(runner)
    while runner.epoch < epochs:
        hook.before_train_iter(runner, 0)
        weights.append(model.losses['graph'].loss_weight)
        runner.epoch += 1
    hook.after_train(runner)
    return weights, model.losses['graph'].loss_weight


@pytest.mark.parametrize(
    ('first', 'expected'),
    [(0, [0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1]), (1, [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1])],
)
def test_the_weight_grows_and_comes_back(first, expected):
    weights, after = run(LossWarmupHook('graph', 5, first))
    assert weights == pytest.approx([0.5 * w for w in expected]) and after == 0.5


def test_training_that_ends_in_the_warmup_leaves_the_full_weight():
    weights, after = run(LossWarmupHook('graph', 5), epochs=2)
    assert weights == pytest.approx([0, 0.1]) and after == 0.5


def test_a_resumed_run_goes_on():
    assert run(LossWarmupHook('graph', 5), start=3)[0] == run(LossWarmupHook('graph', 5))[0][3:]


def test_a_loss_of_one_of_several_methods():
    inner, model = nn.Module(), nn.Module()
    inner.losses = nn.ModuleDict(dict(graph=JointGraphEntropyLoss(loss_weight=0.5)))
    model.losses, model.methods = nn.ModuleDict(), nn.ModuleDict(dict(jgekd=inner))
    runner = SimpleNamespace(model=model, epoch=2)
    hook = LossWarmupHook('jgekd.graph', 4)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    assert inner.losses['graph'].loss_weight == 0.25


def test_a_wrong_name_or_number_is_told():
    with pytest.raises(ValueError, match=r"has no loss 'logit', it has \['graph'\]"):
        run(LossWarmupHook('logit', 5))
    with pytest.raises(ValueError, match='epochs is 0'):
        LossWarmupHook('graph', 0)
    with pytest.raises(ValueError, match='first is -1'):
        LossWarmupHook('graph', 5, -1)
