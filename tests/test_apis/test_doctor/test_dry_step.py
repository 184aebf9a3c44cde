import time

import pytest

from pcdet_kd.apis.doctor import dry_step as module
from pcdet_kd.apis.doctor.dry_step import dry_step, peak_memory
from pcdet_kd.engine.rehearsal import rehearse
from pcdet_kd.engine.stages import plan

CONFIG = 'tiny_teacher.py'


def measured(config, **kwargs):
    stage, found = plan(config)[-1], []
    rehearse(stage, lambda runner: found.append(dry_step(runner, **kwargs)))
    return found[0]


def test_times_are_those_of_whole_batches(tiny_configs, monkeypatch):
    assert measured(tiny_configs / CONFIG)['measured_with'] == '6 of 6 samples of a batch'
    clock = iter(range(1000))
    monkeypatch.setattr(module.time, 'perf_counter', lambda: next(clock))
    monkeypatch.setattr(module, '_MOST_ON_CPU', 2)
    found = measured(tiny_configs / CONFIG, seconds=100)
    assert found['measured_with'] == '2 of 6 samples of a batch'
    # a second between two looks at the clock, and a third of the batch
    assert found['step_s'] == found['data_s'] == 3 and found['iteration_s'] == 6
    assert found['iterations_per_epoch'] == 3 and found['epoch_s'] == 18 and found['run_s'] == 36


def test_the_number_of_steps(tiny_configs, monkeypatch):
    from mmengine.model import BaseModel

    steps, train_step = [], BaseModel.train_step

    def count(self, *args, **kwargs):
        steps.append(time.perf_counter())
        return train_step(self, *args, **kwargs)

    monkeypatch.setattr(BaseModel, 'train_step', count)
    for seconds, wanted in ((100, 4), (0, 2)):
        steps.clear()
        measured(tiny_configs / CONFIG, seconds=seconds)
        assert len(steps) == wanted


def test_memory():
    pytest.importorskip('resource')
    assert 10**7 < peak_memory() < 10**12
