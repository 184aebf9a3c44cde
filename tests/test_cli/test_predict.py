import csv
import json
import sys

import numpy as np
import pytest

from pcdet_kd.apis import export_model, init_model
from pcdet_kd.cli.predict import main
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = 'pointnet_small_modelnet40'


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command on a folder of two clouds, from that folder."""
    weights = tmp_path / 'last.pth'
    save_checkpoint_file(dict(state_dict=init_model(CONFIG).state_dict()), weights)
    (tmp_path / 'scans').mkdir()
    for name in 'ab':
        np.save(tmp_path / f'scans/{name}.npy', np.random.default_rng(0).normal(size=(40, 3)))
    monkeypatch.chdir(tmp_path)

    def command(*argv):
        options = ['--device', 'cpu', '--cfg-options', 'num_points=32']
        monkeypatch.setattr(sys, 'argv', ['predict', CONFIG, str(weights), *argv, *options])
        return main(), capsys.readouterr().out

    return command


def test_a_table(run):
    code, out = run('scans', '--topk', '2')
    assert code == 0 and 'each cloud: centred and scaled' in out
    rows = [line for line in out.splitlines() if line.startswith('| scans/')]
    assert len(rows) == 2 and 'class 2' in out and 'next:    add --out predictions.html' in out


def test_files(run, tmp_path):
    assert run('scans', '--out', 'p.csv', '--topk', '2')[0] == 0
    rows = list(csv.DictReader((tmp_path / 'p.csv').read_text().splitlines()))
    assert [row['name'] for row in rows] == ['scans/a.npy', 'scans/b.npy']
    assert set(rows[0]) == {'name', 'class', 'score', 'class 2', 'score 2'}
    assert run('scans', '--out', 'p.json', '--features')[0] == 0
    found = json.loads((tmp_path / 'p.json').read_text())
    assert len(found['predictions'][0]['feature']) == 128 and found['failed'] == []
    assert found['predictions'][0]['class'] == rows[0]['class']


def test_a_file_that_cannot_be_read(run, tmp_path):
    (tmp_path / 'scans/c.ply').write_text('no cloud')
    code, out = run('scans', '--out', 'p.csv')
    assert code == 1 and '2 predictions written' in out and 'not read: scans/c.ply' in out


def test_a_page(run, tmp_path):
    (tmp_path / 'scans/c.ply').write_text('no cloud')
    code, out = run('scans', '--out', 'p.html')
    assert code == 1 and '2 predictions written: p.html' in out
    html = (tmp_path / 'p.html').read_text()
    assert html.count('data-class=') == 2 and html.count('class="top-name"') == 6
    assert 'scans/c.ply' in html and CONFIG in html and '32 points by farthest' in html
    run('scans', '--out', 'p.html', '--topk', '1')
    assert (tmp_path / 'p.html').read_text().count('class="top-name"') == 2


def test_wrong_options(run, capsys):
    for argv in (['--out', 'p.txt'], ['--features']):
        with pytest.raises(SystemExit, match='2'):
            run('scans', *argv)


def test_an_exported_model(run, tmp_path, monkeypatch, capsys):
    export_model(
        CONFIG,
        tmp_path / 'last.pth',
        tmp_path / 'net.pt2',
        'torch',
        options=dict(num_points=32),
        seconds=0,
    )
    code, expected = run('scans')

    def predict(*argv):
        monkeypatch.setattr(sys, 'argv', ['predict', *argv])
        return main(), capsys.readouterr()

    code, text = predict('net.pt2', 'scans', '--trust')
    assert code == 0 and text.out == expected
    code, text = predict('net.pt2', 'scans')
    assert code == 1 and 'add --trust' in text.err
    for argv in (['net.pt2', 'scans', '--cfg-options', 'a=1'], [CONFIG, 'last.pth']):
        with pytest.raises(SystemExit, match='2'):
            predict(*argv)
