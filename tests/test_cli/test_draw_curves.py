import json

import pytest

from pcdet_kd.cli.draw_curves import titled


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('a', 'b'):
        folder = tmp_path / name / '20250101_000000/vis_data'
        folder.mkdir(parents=True)
        lines = [dict(loss=2.0, epoch=1, step=1), dict(accuracy=50.0, step=1)]
        (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    return tmp_path


def test_curves_of_two_runs(command, runs):
    code, out, err = command('draw_curves', 'first=a', 'b', '--out', 'x.svg')
    assert code == 0 and out == 'x.svg\n', err
    picture = (runs / 'x.svg').read_text()
    for words in ('first', 'accuracy in %, validation split', 'loss, training split'):
        assert f'<!-- {words} -->' in picture


def test_titles(runs):
    assert titled('x=a,b') == ('x', ['a', 'b']) and titled('a/') == ('a', ['a/'])
    (runs / 'lr=0.1').mkdir()
    assert titled('lr=0.1') == ('lr=0.1', ['lr=0.1'])


def test_mistakes(command, runs):
    code, _, err = command('draw_curves', 'a', 'a')
    assert code == 2 and "two runs are called 'a': write TITLE=RUN" in err
    code, _, err = command('draw_curves', 'a', '--names', 'los')
    assert code == 1 and "no run logged 'los'. Did you mean 'loss'?" in err
