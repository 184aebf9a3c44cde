import sys

import numpy as np
import pytest

from pcdet_kd.cli.options import called
from pcdet_kd.cli.test import main as evaluate
from pcdet_kd.cli.train import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command beside a folder of clouds."""
    for name in ('cup', 'lamp'):
        (tmp_path / 'things' / name).mkdir(parents=True)
        for i in range(10):
            np.save(tmp_path / f'things/{name}/{i}.npy', np.random.default_rng(i).random((90, 3)))
    monkeypatch.chdir(tmp_path)

    def command(*argv):
        monkeypatch.setattr(sys, 'argv', ['pcdet-kd train', *argv])
        code = main()
        return code, capsys.readouterr()

    return command


def test_a_model_on_own_files_in_one_line(run, tmp_path, monkeypatch, capsys):
    options = ['--cfg-options', 'max_epochs=1', 'num_points=32']
    code, printed = run('--data', 'things', '--model', 'pointnet_small', '--up-axis', 'z', *options)
    assert code == 0 and '2 classes, 20 training clouds' in printed.out
    assert 'Validation split (there are no test data), in %' in printed.out
    config, weights = (
        'work_dirs/things/pointnet_small.py',
        'work_dirs/things/pointnet_small/last.pth',
    )
    assert f'next:    pcdet-kd test {config} {weights}' in printed.out
    assert (tmp_path / weights).is_file()
    monkeypatch.setattr(sys, 'argv', ['pcdet-kd test', config, weights])
    evaluate()
    out = capsys.readouterr().out
    assert 'Validation split (there are no test data), in %' in out
    assert out.rstrip().endswith('work_dirs/things/pointnet_small/test')


def test_what_is_missing_is_said(run, capsys):
    for argv, words in (
        ([], 'give a config, or --data FOLDER'),
        (['config.py', '--data', 'things'], 'give a config, or --data FOLDER'),
        (['--data', 'things', '--model', 'dgcnn'], '--model and --up-axis are needed'),
    ):
        with pytest.raises(SystemExit, match='2'):
            run(*argv)
        assert words in capsys.readouterr().err


def test_commands_are_named_as_they_were_called(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['pcdet-kd train'])
    assert called('run-table') == 'pcdet-kd run-table'
    monkeypatch.setattr(sys, 'argv', ['tools/train.py'])
    assert called('run-table') == 'python tools/run_table.py'
