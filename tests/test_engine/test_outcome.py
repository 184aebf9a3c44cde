import json
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from pcdet_kd.apis import train
from pcdet_kd.engine.outcome import baseline_in, outcome
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.engine.stages import Stage

SHORT = {'max_epochs': 1}


def stage(folder, name, model, right, seed=0):
    """A finished stage that has ``right`` of 100 clouds right."""
    rows = [dict(sample_id=str(i), gt=0, pred=int(i >= right), score=0.9) for i in range(100)]
    (folder / name).mkdir()
    content = dict(classes=['a', 'b'], predictions=rows)
    (folder / name / 'predictions_last.json').write_text(json.dumps(content))
    cfg = Config(dict(model=dict(type=model), randomness=dict(seed=seed)))
    record = StageRecord({}, results=dict(last=dict(accuracy=float(right))), test_samples=100)
    return Stage(name, Path(f'{name}.py'), cfg, folder / name, record=record)


@pytest.mark.parametrize(
    ('teacher', 'ours', 'words'),
    [
        (80, 75, ['Distillation gained']),
        (80, 60, ['No gain from distillation']),
        (55, 62, ['No clear gain', 'teacher is not better than the student alone']),
    ],
)
def test_teacher_alone_distilled_and_plain_words(tmp_path, teacher, ours, words):
    stages = [
        stage(tmp_path, 'teacher', 'PointClassifier', teacher),
        stage(tmp_path, 'leaf_baseline', 'PointClassifier', 60, seed=5),
        stage(tmp_path, 'leaf', 'PointCMT', ours, seed=5),
    ]
    first, *rest = outcome(stages)
    assert first == (
        f'OA at the last epoch, in %: teacher {teacher}.0 (seed 0), student alone 60.0 (seed 5), '
        f'distilled student {ours}.0 (seed 5).'
    )
    assert len(rest) == len(words)
    assert all(re.search(word, text) for word, text in zip(words, rest))
    assert outcome(stages[:1]) == []


def test_a_baseline_of_an_earlier_run_is_known_while_it_fits(tiny_configs):
    leaf = tiny_configs / 'tiny_pointcmt.py'
    result = train(leaf, SHORT)
    assert baseline_in(result.stages) is None and 'not known' in result.outcome()[1]
    result = train(leaf, SHORT, with_baseline=True)
    alone = result.stages[-2]
    again = train(leaf, SHORT)
    found = baseline_in(again.stages)
    assert found.work_dir == alone.work_dir and found.record == alone.record
    assert len(again.stages) == 3 and 'student alone' in again.outcome()[0]
    file = alone.work_dir / 'stage.json'
    content = json.loads(file.read_text())
    content['config']['train_cfg.max_epochs'] = '7'
    file.write_text(json.dumps(content))
    assert baseline_in(again.stages) is None
