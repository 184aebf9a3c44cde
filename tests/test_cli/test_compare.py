import json

import pytest


@pytest.fixture
def runs(tmp_path):
    for name, wrong in (('plain', 30), ('good', 5)):
        rows = [dict(sample_id=f's{i}', gt=0, pred=int(i < wrong), score=0.9) for i in range(100)]
        folder = tmp_path / name
        folder.mkdir()
        content = dict(classes=['a', 'b'], predictions=rows)
        (folder / 'predictions_last.json').write_text(json.dumps(content))
    return tmp_path


def test_the_command_prints_and_writes(runs, command):
    out = runs / 'out.json'
    code, said, err = command('compare', f'plain={runs}/plain', f'good={runs}/good', '--out', out)
    assert code == 0, err
    assert 'good is better than plain: +25.0 points OA' in said and '95.00' in said
    assert json.loads(out.read_text())['differences'][0]['p_mcnemar'] < 1e-5
    code, said, err = command('compare', f'plain={runs}/plain,{runs}/good')
    assert code == 0 and 'correctly' not in said and '82.50' in said


@pytest.mark.parametrize('arguments', [['plain'], ['plain='], ['=x'], ['a=x', 'a=y']])
def test_mistakes_on_the_command_line(command, arguments):
    code, out, err = command('compare', *arguments)
    assert code == 2 and ('NAME=RUN' in err)


def test_missing_predictions_are_one_message(runs, command):
    code, out, err = command('compare', f'plain={runs}/plain', '--epoch', 'best')
    assert code == 1 and 'predictions_best.json' in err and 'fix:' in err
