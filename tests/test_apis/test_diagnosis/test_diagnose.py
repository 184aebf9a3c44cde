import json

import pytest

from pcdet_kd.apis import diagnose, train, write_diagnosis
from pcdet_kd.apis.diagnosis import diagnosis_text
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.evaluation.predictions import predictions_file, read_predictions
from pcdet_kd.utils.errors import DataError

SHORT = {'max_epochs': 1}


def test_a_run_is_diagnosed(tiny_configs, command):
    leaf = tiny_configs / 'tiny_pointcmt.py'
    result = train(leaf, SHORT, with_baseline=True)
    folder = result.stages[-1].work_dir
    found = diagnose(leaf, folder)
    by_name = {model['name']: model['oa'] for model in found['models']}
    assert by_name == {
        'teacher image': pytest.approx(result.records['teacher'].results['last']['accuracy']),
        'student alone': pytest.approx(read_predictions(f'{folder}_baseline').accuracy),
        'distilled student': pytest.approx(read_predictions(folder).accuracy),
    }
    assert found['similarity'][0]['rows'] == ['feature', 'logits']
    assert found['similarity'][0]['columns'][-2:] == ['feature', 'logits']
    assert found['protocol']['method'] == 'PointCMT' and found['protocol']['seed'] == 0
    page, numbers = write_diagnosis(found, 'out/page.html')
    assert page.read_text().startswith('<!DOCTYPE html>')
    assert json.loads(numbers.read_text())['shapes'] == 24
    assert '| distilled student |' in diagnosis_text(found)

    teacher = result.stages[0].work_dir
    code, out, err = command(leaf, folder, '--alone', teacher, '--epoch', 'best')
    assert code == 0 and (folder / 'diagnosis.html').is_file() and 'student alone' in out, err
    code, out, err = command(leaf, teacher)
    assert code == 1 and 'tiny_pointcmt.py' in err and 'finished run' in err
    text = predictions_file(f'{folder}_baseline').read_text()
    (folder / 'other.json').write_text(text.replace('test/3', 'test/x'))
    code, out, err = command(leaf, folder, '--alone', folder / 'other.json')
    assert code == 1 and "shape 3 is 'test/x', not 'test/3'" in err
    code, out, err = command(leaf, folder, '--out', 'page.txt')
    assert code == 2 and '.html' in err


def test_only_distillers_are_diagnosed(tiny_configs):
    leaf = tiny_configs / 'tiny_teacher.py'
    folder = train(leaf, SHORT).stages[-1].work_dir
    with pytest.raises(ConfigError, match='a distiller with a test split'):
        diagnose(leaf, folder)
    with pytest.raises(DataError, match='nothing'):
        diagnose(leaf, 'nothing')
