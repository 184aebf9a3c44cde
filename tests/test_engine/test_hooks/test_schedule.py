from types import SimpleNamespace

import pytest
from torch import nn

from pcdet_kd.engine import ScheduleHook


def runner_at(iteration, model, epochs=300, steps=409):
    return SimpleNamespace(
        iter=iteration, max_iters=epochs * steps, train_dataloader=range(steps), model=model
    )


@pytest.fixture
def model():
    net = nn.Module()
    net.teachers = nn.ModuleDict({'ema': nn.Identity()})
    net.teachers['ema'].momentum = 0.5
    return net


def value_at(hook, model, iteration):
    hook.before_train_iter(runner_at(iteration, model), 0)
    return model.teachers['ema'].momentum


def test_published_values_of_asymdsd(model):
    """Momentum and temperature of 300 epochs of 409 steps."""
    path = 'teachers.ema.momentum'
    momentum = ScheduleHook(path, 0.995, 1.0, curve='cosine')
    found = [value_at(momentum, model, i) for i in (0, 61350, 122700)]
    assert found == pytest.approx([0.995, 0.9975, 1.0], abs=1e-12)
    temperature = ScheduleHook(path, 0.04, 0.07, epochs=10)
    found = [value_at(temperature, model, i) for i in (0, 2045, 4090, 100000)]
    assert found == pytest.approx([0.04, 0.055, 0.07, 0.07], abs=1e-12)


def test_without_an_end_it_goes_to_the_former_value(model):
    hook = ScheduleHook('teachers.ema.momentum', 0.1, epochs=10)
    hook.before_train(runner_at(0, model))
    found = [value_at(hook, model, i) for i in (0, 2045, 4090, 100000)]
    assert found == pytest.approx([0.1, 0.3, 0.5, 0.5], abs=1e-12)


def test_after_training_the_value_is_back(model):
    hook = ScheduleHook('teachers.ema.momentum', 0.1, 0.2)
    runner = runner_at(0, model)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    assert model.teachers['ema'].momentum == 0.1
    hook.after_train(runner)
    assert model.teachers['ema'].momentum == 0.5


@pytest.mark.parametrize('path', ['teachers.ema.momentun', 'teachers.main.momentum', 'training.x'])
def test_a_wrong_path_is_named(model, path):
    with pytest.raises(ValueError, match=f"no number '{path}'"):
        ScheduleHook(path, 0, 1).before_train(runner_at(0, model))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match='curve'):
        ScheduleHook('a', 0, 1, curve='square')
    with pytest.raises(ValueError, match='epochs is 0'):
        ScheduleHook('a', 0, 1, epochs=0)
