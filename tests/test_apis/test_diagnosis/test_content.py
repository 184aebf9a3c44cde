import json

import numpy as np
import pytest

from pcdet_kd.apis.diagnosis import diagnosis


def test_models_pairs_and_transfer(run, alone):
    found = diagnosis(run, alone(30))
    teacher, plain, student = found['models']
    assert [m['name'] for m in found['models']] == [
        'teacher image',
        'student alone',
        'distilled student',
    ]
    right = {m: int((p == run.gt).sum()) for m, p in predictions(run, alone(30)).items()}
    assert [m['oa'] for m in found['models']] == pytest.approx(
        [100 * right[m['name']] / 60 for m in found['models']]
    )
    assert teacher['confidence'] == pytest.approx(70) and len(student['bins']) == 15
    assert plain['recalls'][3] is None and found['counts'][3] == 0
    pair = found['pairs'][1]
    assert (pair['one'], pair['other']) == ('student alone', 'distilled student')
    assert pair['both'] == right['student alone'] and pair['only_one'] == 0
    assert pair['only_other'] == right['distilled student'] - right['student alone']
    (moved,) = found['transfer']
    assert moved['could_learn'] == right['teacher image'] - right['student alone']
    assert moved['learned'] == pair['only_other'] and moved['could_lose'] == moved['lost'] == 0
    json.dumps(found)


def predictions(run, alone):
    return {
        'teacher image': run.teachers[0].scores.argmax(1),
        'student alone': alone.pred,
        'distilled student': run.student.scores.argmax(1),
    }


def test_layers_are_compared(run):
    (entry,) = diagnosis(run)['similarity']
    assert entry['rows'] == ['feature', 'logits']
    assert entry['columns'] == ['stage 1', 'feature', 'logits']
    assert entry['values'][0][0] is None
    assert entry['values'][0][1] == entry['values'][1][2] == pytest.approx(1)
    assert 0 < entry['values'][0][2] < 0.6


@pytest.mark.parametrize(
    ('right', 'words'),
    [
        (30, 'Distillation gained'),
        (43, 'No clear gain from distillation'),
        (45, 'No gain from distillation'),
        (58, 'is not better than the student alone'),
    ],
)
def test_plain_words(run, alone, right, words):
    assert any(text for text in diagnosis(run, alone(right))['sentences'] if words in text)


def test_without_the_student_alone(run):
    found = diagnosis(run)
    assert 'not known' in found['sentences'][0] and not found['transfer']
    assert [m['name'] for m in found['models']] == ['teacher image', 'distilled student']


def test_a_teacher_without_logits_is_compared_by_its_layers_only(run):
    run.teachers[0].scores = None
    found = diagnosis(run)
    assert len(found['models']) == 1 and not found['pairs'] and found['similarity']
    assert np.isfinite(found['models'][0]['ece'])
