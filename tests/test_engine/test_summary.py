import json
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.engine.stages import Stage
from pcdet_kd.engine.summary import other_metrics, protocol_rows, rows, verdict
from pcdet_kd.utils.errors import DataError


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


def iou(value):
    return dict(instance_miou=value, class_miou=value - 2)


def test_rows_show_the_tasks_that_were_tested():
    alone = rows([stage('seg', last=iou(80.0), best=iou(81.0))])
    assert alone == [
        {
            'stage': 'seg',
            'config': 'seg',
            'seed': None,
            'instance mIoU last': 80.0,
            'class mIoU last': 78.0,
            'instance mIoU val-best': 81.0,
            'class mIoU val-best': 79.0,
        }
    ]
    encoder, seg = rows([stage('encoder', last=acc(90.0)), stage('seg', last=iou(80.0))])
    assert (encoder['OA last'], encoder['instance mIoU last']) == (90.0, None)
    assert (seg['OA last'], seg['class mIoU last']) == (None, 78.0)
    untested = rows([stage('pretraining')])[0]
    assert untested['OA last'] is None and 'class mIoU last' not in untested


def test_a_test_shows_plain_and_voted_results():
    assert protocol_rows(acc(80.0)) == [{'protocol': 'plain', 'OA': 80.0, 'mAcc': 79.0}]
    voted = {f'{name}_voted': value for name, value in iou(82.0).items()}
    plain, both = protocol_rows({**iou(80.0), **voted, 'emd': 0.5})
    assert plain == {'protocol': 'plain', 'instance mIoU': 80.0, 'class mIoU': 78.0}
    assert both == {'protocol': 'voted', 'instance mIoU': 82.0, 'class mIoU': 80.0}
    assert other_metrics({**iou(80.0), **voted, 'emd': 0.5}) == {'emd': 0.5}
    assert protocol_rows(dict(emd=0.5)) == []


def run(tmp_path, name, right, ids=None):
    """A stage that left predictions of 100 clouds, of which it has those in ``right`` right."""
    rows = [
        dict(sample_id=(ids or str)(i), gt=0, pred=int(i not in right), score=0.9)
        for i in range(100)
    ]
    folder = tmp_path / name
    folder.mkdir()
    content = dict(classes=['a', 'b'], predictions=rows)
    (folder / 'predictions_last.json').write_text(json.dumps(content))
    found = stage(name, last=acc(float(len(right))))
    found.work_dir = folder
    return found


@pytest.mark.parametrize(
    ('ours', 'words'),
    [
        (range(48), r'^No gain from distillation: -2\.0 points'),
        (range(50), r'^No gain'),
        (range(54), r'^No clear gain from distillation: \+4\.0 points.* p = 0\.12\)'),
        (range(10, 70), r'^No clear gain.*20 only the distilled student.*10 only.* p = 0\.099'),
        (range(58), r'^Distillation gained \+8\.0 points.*one seed; of 100 test clouds'),
    ],
)
def test_the_verdict_tests_the_pairs(tmp_path, ours, words):
    text = verdict(run(tmp_path, 'student', ours), run(tmp_path, 'baseline', range(50)))
    assert re.search(words, text), text


def test_a_verdict_needs_predictions_of_the_same_clouds(tmp_path):
    ours = run(tmp_path, 'student', range(58))
    other = run(tmp_path, 'baseline', range(50), ids='other/{}'.format)
    with pytest.raises(DataError, match="shape 0 is 'other/0'"):
        verdict(ours, other)
    (other.work_dir / 'predictions_last.json').unlink()
    assert re.search(r'\+8\.0 points.*cannot be tested.*baseline/pred', verdict(ours, other))
