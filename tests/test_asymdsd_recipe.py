"""AsymDSD's published recipe, as its config has it."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.optim import build_optim_wrapper

from pcdet_kd.engine.config import load_config
from pcdet_kd.registry import MODELS, PARAM_SCHEDULERS

ROOT = Path(__file__).parents[1] / 'configs' / 'asymdsd'


def learning_rates(cfg, steps_per_epoch):
    """The learning rate of every step of a run."""
    model = torch.nn.Linear(1, 1)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    schedulers = [
        PARAM_SCHEDULERS.build(
            dict(s), default_args=dict(optimizer=wrapper, epoch_length=steps_per_epoch)
        )
        for s in cfg.param_scheduler
    ]
    found = []
    for _ in range(cfg.train_cfg.max_epochs * steps_per_epoch):
        found.append(wrapper.get_lr()['lr'][0])
        wrapper.update_params(model(torch.ones(1, 1)).sum())
        for scheduler in schedulers:
            scheduler.step()
    return found, wrapper.get_lr()['lr'][0]


def test_optimiser_and_learning_rate():
    """Published: 1e-7 at first, 5e-4 after ten epochs of 409 steps, 1e-6 at the end of 300; weight
    decay on all parameters. The shape does not depend on the number of steps in an epoch.
    """
    cfg = load_config(ROOT / 'pretrain_s_shapenet55.py')
    assert cfg.optim_wrapper.optimizer.type == 'AdamW'
    assert cfg.optim_wrapper.optimizer.weight_decay == 0.05
    assert cfg.optim_wrapper.clip_grad.max_norm == 10.0
    assert 'paramwise_cfg' not in cfg.optim_wrapper
    assert cfg.train_cfg.max_epochs == 300 and cfg.train_dataloader.batch_size == 128
    rates, last = learning_rates(cfg, 4)
    assert rates[0] == pytest.approx(1e-7)
    assert rates[40] == max(rates) == pytest.approx(5e-4)
    assert last == pytest.approx(1e-6, rel=0.01)
    for step in (300, 620, 1000):
        cosine = 1e-6 + 0.5 * (5e-4 - 1e-6) * (1 + math.cos(math.pi * (step - 40) / 1160))
        assert rates[step] == pytest.approx(cosine, rel=1e-6)


def test_schedules_of_the_teacher():
    hooks = {
        hook.attribute: hook
        for hook in load_config(ROOT / 'pretrain_s_shapenet55.py').custom_hooks
        if hook.type == 'ScheduleHook'
    }
    momentum = hooks['teachers.ema.momentum']
    assert (momentum.start, momentum.end, momentum.curve) == (0.995, 1.0, 'cosine')
    for name, start in (('cls', 0.04), ('patch', 0.05)):
        hook = hooks[f'losses.{name}.teacher_temperature']
        assert (hook.start, hook.end, hook.epochs) == (start, 0.07, 10)


def test_the_first_losses_are_near_the_entropy_of_4096():
    """Published at the first step: 8.39 (patches), 8.06 (class token); ln 4096 is 8.32."""
    cfg = load_config(ROOT / 'pretrain_s_shapenet55.py')
    cfg.model.student.backbone.depth = 2
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    inputs = dict(global_crops=torch.randn(2, 2, 1024, 3), local_crops=torch.randn(2, 4, 256, 3))
    with torch.no_grad():
        losses = model(inputs, [None] * 2, mode='loss')
    scale = 1 + 1 + 0.01
    assert float(losses['loss_patch']) * scale == pytest.approx(8.39, abs=0.15)
    assert float(losses['loss_cls']) * scale == pytest.approx(8.06, abs=0.3)
