import json

import pytest

from pcdet_kd.apis.tables import Figure


def predictions(folder, right, prefix='s'):
    rows = [
        dict(sample_id=f'{prefix}{i}', gt=0, pred=int(i >= right), score=0.9) for i in range(50)
    ]
    folder.mkdir()
    content = dict(classes=['a', 'b'], predictions=rows)
    (folder / 'predictions_last.json').write_text(json.dumps(content))
    return folder


def test_mean_and_deviation():
    figure = Figure('a', 'b', 'accuracy', 'last', {0: 90.0, 1: 91.0, 2: 92.0})
    assert figure.mean == 91 and figure.std == pytest.approx(1.0)
    assert figure.text(3) == '91.0 ± 1.0' and figure.text(5) == '91.0 ± 1.0 (3 of 5)'
    one = Figure('a', 'b', 'mce', 'last', {4: 0.51249})
    assert one.std is None and one.text(1) == '0.512'


def test_rows_are_tested_against_the_reference_on_common_seeds(result, tiny_table, tmp_path):
    runs = {
        ('alone', 'few'): {s: predictions(tmp_path / f'a{s}', 20 + s) for s in (0, 1)},
        ('both', 'few'): {s: predictions(tmp_path / f'b{s}', 40 + s) for s in (1, 2)},
        ('CE', 'few'): {3: predictions(tmp_path / 'c', 40)},
    }
    (text,) = result(tiny_table, work_dirs=runs).sentences()
    assert text.startswith('few: both is better than alone: +40.0 points OA') and 'McNemar' in text


def test_other_test_shapes_are_not_compared(result, tiny_table, tmp_path):
    runs = {
        ('alone', 'few'): {0: predictions(tmp_path / 'a', 20)},
        ('both', 'few'): {0: predictions(tmp_path / 'b', 40, 'airplane_')},
    }
    (text,) = result(tiny_table, work_dirs=runs).sentences()
    assert text == 'few: both and alone: other test shapes, so no paired test.'


def test_metrics_that_are_shown(result, tiny_table, tiny_configs):
    words = dict(emd='EMD', accuracy='OA', accuracy_voted='OA voted')
    figures = [Figure('CE', 'few', name, 'last', {0: 1.0}) for name in words]
    found = result(tiny_table, figures=figures)
    assert list(found.metrics.values()) == ['OA', 'mAcc', 'OA voted']
    plain = result(tiny_configs / 'tiny_teacher.py', figures=figures)
    assert plain.metrics == words
    content = json.loads(json.dumps(found.to_dict()))
    assert content['figures'][0]['values'] == {'0': 1.0} and content['comparisons'] == []
    assert len(content['commands']) == 12
