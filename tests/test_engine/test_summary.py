from pathlib import Path

import pytest
from mmengine.config import Config

from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.engine.stages import Stage
from pcdet_kd.engine.summary import rows, verdict


def stage(name, samples=600, **results):
    record = StageRecord({}, results=results, test_samples=samples)
    return Stage(name, Path(f'{name}.py'), Config(), Path('work'), record=record)


def acc(value):
    return dict(accuracy=value, mean_class_accuracy=value - 1)


def test_rows_tell_last_and_best_apart():
    table = rows(
        [stage('teacher', last=acc(80.0), best=acc(81.0)), stage('generator', last=dict(emd=0.2))]
    )
    assert (table[0]['OA last'], table[0]['OA val-best'], table[0]['mAcc last']) == (
        80.0,
        81.0,
        79.0,
    )
    assert (
        table[0]['EMD last'] is None and table[1]['EMD last'] == 0.2 and table[1]['OA last'] is None
    )
    assert 'EMD last' not in rows([stage('plain', last=acc(50.0))])[0]


@pytest.mark.parametrize(
    ('ours', 'plain', 'words'),
    [
        (70.0, 72.0, r'^No gain from distillation: -2\.0 points'),
        (72.0, 72.0, r'^No gain'),
        (73.0, 72.0, r'^No clear gain from distillation: \+1\.0 points'),
        (80.0, 72.0, r'^Distillation gained \+8\.0 points.*one seed, 600 test clouds'),
    ],
)
def test_the_verdict_is_honest(ours, plain, words):
    import re

    text = verdict(stage('student', last=acc(ours)), stage('baseline', last=acc(plain)))
    assert re.search(words, text), text


def test_the_noise_is_twice_the_standard_error_of_a_difference():
    # p = 0.5, n = 800: 2 * sqrt(2 * 0.25 / 800) = 5 points.
    assert '±5.0' in verdict(stage('a', 800, last=acc(50.0)), stage('b', last=acc(50.0)))
