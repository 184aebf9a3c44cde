import json

import pytest


def test_it_prints_a_table_and_writes_the_figures(tiny_configs, command):
    path = tiny_configs / 'tiny_plain.py'
    path.write_text("_base_ = 'tiny_base.py'\nmax_epochs = 1\nmodel = _base_.student\n")
    code, out, err = command('probe', path, '--methods', 'knn', '--seed', 3)
    assert code == 0, err
    assert '| random (seed 3) | 5 nearest neighbours |' in out and '24 clouds; fitted to 18' in out
    found = json.loads((tiny_configs.parent / 'work_dirs/tiny_plain/probe.json').read_text())
    assert f'{found["accuracy"]["knn"]:.2f}' in out and found['config'] == 'configs/tiny_plain.py'
    code, out, err = command('probe', path, '--load-backbone', 'x.pth', '--methods', 'knn')
    assert code == 1 and err.startswith('error: x.pth is not a file')


def test_the_svm_is_there_too(tiny_configs, command):
    pytest.importorskip('sklearn')
    path = tiny_configs / 'tiny_plain.py'
    path.write_text("_base_ = 'tiny_base.py'\nmodel = _base_.student\n")
    code, out, err = command('probe', path, '--out', 'there/found.json')
    assert code == 0 and '| linear SVM (C = 1)   |' in out, err
    found = json.loads((tiny_configs.parent / 'there/found.json').read_text())
    assert set(found['accuracy']) == {'svm', 'knn'} and 'C = 1.0' in found['settings']['svm']
