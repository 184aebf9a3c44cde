from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.visualization import LocalVisBackend

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.rehearsal import _first_samples, rehearse
from pcdet_kd.engine.stages import plan
from pcdet_kd.registry import MODELS, VISBACKENDS
from pcdet_kd.utils.checkpoint import CheckpointError

LEAF = 'tiny_pointcmt.py'


def test_all_stages_are_rehearsed_before_any_is_trained(tiny_configs):
    for stage in plan(tiny_configs / LEAF, with_baseline=True):
        rehearse(stage)
    assert not (tiny_configs.parent / 'work_dirs').exists()


def test_an_error_of_the_loss_or_of_its_gradient_is_found(tiny_configs, monkeypatch):
    kind = MODELS.get('PointClassifier')
    stage = plan(tiny_configs / 'tiny_teacher.py')[0]
    original = kind.losses

    def losses(self, features, out, samples):
        assert self.training and len(samples) == 2
        return dict(loss_cls=original(self, features, out, samples)['loss_cls'].detach())

    monkeypatch.setattr(kind, 'losses', losses)
    with pytest.raises(ConfigError, match='tiny_teacher cannot be trained: .*grad'):
        rehearse(stage)


def test_it_leaves_no_trace_in_what_is_trained_afterwards(tiny_configs):
    from pcdet_kd.engine.pipeline import run_stages

    found = []
    for number in range(2):
        stage = plan(tiny_configs / 'tiny_teacher.py', work_dir=f'run{number}')[0]
        for _ in range(2 * number):
            rehearse(stage)
        run_stages([stage])
        found.append(torch.load(stage.weights)['state_dict'])
    assert all(torch.equal(value, found[1][key]) for key, value in found[0].items())


def test_a_missing_file_of_weights_is_named(tiny_configs):
    leaf = tiny_configs / LEAF
    other = "teacher=dict(_base_.teacher, model=_base_.images, checkpoint='nothing.pth')"
    leaf.write_text(leaf.read_text().replace('teacher=_base_.teacher', other))
    with pytest.raises(CheckpointError, match='nothing.pth'):
        rehearse(plan(leaf)[-1])


def test_a_cloud_of_each_kind_is_tried_where_some_have_no_label():
    def samples(*labelled):
        return SimpleNamespace(labelled=lambda: np.array(labelled))

    assert _first_samples(samples(False, False, True, True)) == [2, 0]
    assert _first_samples(samples(True, True, False)) == [0, 2]
    assert _first_samples(range(5)) == [0, 1] and _first_samples(range(1)) == [0]


def test_a_runner_is_shown_after_its_tiny_step(tiny_configs):
    seen = []

    def look(runner):
        seen.append(runner.train_dataloader.batch_size)
        assert all(p.grad is None for p in runner.model.parameters())
        with torch.no_grad():
            next(iter(runner.model.parameters())).fill_(torch.nan)  # is thrown away

    stage = plan(tiny_configs / 'tiny_teacher.py')[0]
    rehearse(stage, look)
    rehearse(stage)
    assert seen == [6]


def test_trackers_are_built_but_not_started(tiny_configs):
    started = []

    @VISBACKENDS.register_module(force=True)
    class CountingVisBackend(LocalVisBackend):
        def __init__(self, save_dir, project):
            super().__init__(save_dir)

        def _init_env(self):
            started.append(self)
            super()._init_env()

    def options(**kwargs):
        back_ends = [dict(type='LocalVisBackend'), dict(type='CountingVisBackend', **kwargs)]
        return {'visualizer.vis_backends': back_ends}

    rehearse(plan(tiny_configs / 'tiny_teacher.py', options(project='p'))[0])
    assert not started
    with pytest.raises(ConfigError, match='projekt'):
        rehearse(plan(tiny_configs / 'tiny_teacher.py', options(projekt='p'))[0])
