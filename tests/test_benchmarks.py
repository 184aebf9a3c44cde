"""The benchmark scripts run: their help, every row on tiny shapes, and what they say about a peer
that is not there.
"""

import importlib
import importlib.util
import runpy
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.utils import allocator

FOLDER = Path(__file__).parents[1] / 'benchmarks'
SCRIPTS = sorted(p.name for p in FOLDER.glob('*.py') if '__main__' in p.read_text())


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks, as its scripts do, and forget it again: one is called
    ops.
    """
    monkeypatch.syspath_prepend(str(FOLDER))
    names = {p.stem for p in FOLDER.iterdir()}
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if name.split('.')[0] in names:
            del sys.modules[name]


@pytest.mark.parametrize('script', SCRIPTS)
def test_help(script, module, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', [script, '--help'])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(FOLDER / script), run_name='__main__')
    assert not ended.value.code and 'usage: ' in capsys.readouterr().out


def test_rows_by_name(module, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['ops.py', 'nothing'])
    with pytest.raises(SystemExit):
        module('ops').main()
    assert 'no row nothing; there are fps' in capsys.readouterr().err


def rows():
    spec = importlib.util.spec_from_file_location('benchmark_ops', FOLDER / 'ops.py')
    spec.loader.exec_module(script := importlib.util.module_from_spec(spec))
    return script.NAMES


@pytest.mark.parametrize('row', rows())
def test_tiny_row(row, module, monkeypatch, capsys):
    harness = module('harness')
    monkeypatch.setattr(harness, 'optional', lambda name: None)
    monkeypatch.setattr(sys, 'argv', ['ops.py', '--tiny', row])
    module('ops').main()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('| ')]
    assert len(lines) > 2 and len({line.count('|') for line in lines}) == 1
    cells = [[cell.strip() for cell in line.split('|')] for line in lines[2:]]
    for cell in cells:
        assert cell[4] == harness.INSTALL or float(cell[4]) > 0
    checks = ' '.join(cell[8] for cell in cells)
    for fault in ('NOT', 'nan'):
        assert fault not in checks
    if 'equal' in checks:
        assert '100.000%' in checks


def test_medians_of_interleaved_runs(module):
    harness = module('harness')
    order = []
    found = harness.interleaved(
        {name: (lambda name=name: order.append(name) or name) for name in 'ab'}, rounds=3
    )
    assert ''.join(order) == 'ab' * 4 and found['a'].result == 'a' and found['b'].rounds == 3
    found = harness.interleaved(
        {'slow': lambda: torch.ones(200, 200) @ torch.ones(200, 200)}, rounds=3, budget=0
    )
    assert found['slow'].rounds == 1
    assert harness.times_faster(3.0, 0.25) == '12' and harness.times_faster(1234.0, 1) == '1234'
    assert harness.table(['a', 'b'], [[1, 2]]) == '| a | b |\n| --- | --- |\n| 1 | 2 |'


@pytest.mark.slow
@pytest.mark.skipif(allocator._mallopt() is None, reason='no glibc')
def test_train_step_prints_its_table():
    done = subprocess.run(
        [
            sys.executable,
            str(FOLDER / 'train_step.py'),
            '--tiny',
            'dgcnn',
            '--steps',
            '1',
            '--forms',
            'usual',
            'ours',
            '--no-memory',
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    cells = [
        [cell.strip() for cell in line.split('|')]
        for line in done.stdout.splitlines()
        if line.startswith('| ')
    ][2:]
    assert [cell[1:3] for cell in cells] == [
        ['usual', 'default'],
        ['ours', 'default'],
        ['usual', 'keep'],
        ['ours', 'keep'],
    ]
    losses = [float(cell[-2]) for cell in cells]
    assert max(losses) - min(losses) < 1e-4


@pytest.fixture
def modelnet40(tmp_path):
    """The folder of a tiny ModelNet40 of two easy classes."""
    draw = np.random.default_rng(0)
    for split, number in (('train', 22), ('test', 6)):
        label = np.arange(number, dtype=np.uint8)[:, None] % 2
        clouds = draw.standard_normal((number, 70, 3)) * (1 - 0.8 * label[..., None])
        with h5py.File(tmp_path / f'ply_data_{split}0.h5', 'w') as file:
            file['data'], file['label'] = clouds.astype(np.float32), label
        (tmp_path / f'{split}_files.txt').write_text(f'data/ply_data_{split}0.h5\n')
    return tmp_path


def test_same_result_goes_on_where_it_stopped(module, modelnet40, monkeypatch, capsys):
    script = module('same_result')
    runs = [('usual', 'reference'), ('framework', 'reference')]
    argv = ['x', str(modelnet40), '--tiny', '--seeds', '3', '--work-dir', str(modelnet40 / 'runs')]
    for epochs in (1, 2):
        monkeypatch.setattr(sys, 'argv', [*argv, '--epochs', str(epochs)])
        script.train(args := script.parse_args(), runs)
        lines = capsys.readouterr().out.splitlines()
        assert [line.partition(':')[0] for line in lines] == [
            f'{form}, reference, seed 3, epoch {epochs}' for form, _ in runs
        ]
    assert script.report(args, runs).count('\n') == 5
    # the same recipe: both optimisers stand where the schedule has them after two of ten epochs
    usual, framework = (script.run_of(args, *run, 3) for run in runs)
    groups = [
        torch.load(file, weights_only=True)['optimizer']['param_groups'][0]
        for file in (usual / 'state.pth', framework / 'epoch_2.pth')
    ]
    for key in ('lr', 'betas', 'weight_decay', 'eps', 'amsgrad'):
        assert groups[1][key] == pytest.approx(groups[0][key]), key
    for file in framework.glob('*.pth'):
        file.unlink()
    args.epochs = 3
    with pytest.raises(RuntimeError, match='holds a run of 0 epochs and a record of 2: remove it'):
        script.train(args, runs[1:])


def test_same_result_from_equal_weights(module, modelnet40, monkeypatch):
    script = module('same_result')
    monkeypatch.setattr(sys, 'argv', ['x', str(modelnet40), '--tiny', '--check'])
    step = script.check(args := script.parse_args()).splitlines()[2].split('|')
    assert float(step[2]) == pytest.approx(float(step[3]), abs=1e-5)
    reference = script.config_of(args, 0, 'reference', modelnet40)
    for setting in [name for name in script.SETTINGS if name != 'reference']:
        assert script.config_of(args, 0, setting, modelnet40) != reference, setting


def test_multi_crop(module, monkeypatch, capsys):
    argv = ['x', '--points', '1200', '--clouds', '1', '--rounds', '1']
    monkeypatch.setattr(sys, 'argv', argv)
    module('multi_crop').main()
    assert '| 1,200 | ' in capsys.readouterr().out


def test_cloud_store(module, monkeypatch, capsys, tmp_path):
    argv = ['x', '--clouds', '3', '--points', '20', '--reads', '2', '--folder', str(tmp_path)]
    monkeypatch.setattr(sys, 'argv', argv)
    module('cloud_store').main()
    assert '| ours | ' in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_accuracy_beside_speed(module, monkeypatch, capsys, tmp_path):
    script = module('accuracy_speed')
    for name, accuracy in (('a', 80.0), ('b', 84.0)):
        (tmp_path / name).mkdir()
        results = dict(last=dict(accuracy=accuracy))
        StageRecord({}, finished=True, results=results).write(tmp_path / name)
    text = f'small=pointnet_small_modelnet40:16:{tmp_path}/a,{tmp_path}/b'
    argv = ['x', text, '--batch-size', '2', '--seconds', '0.01', '--rounds', '1']
    monkeypatch.setattr(sys, 'argv', [*argv, '--out', str(tmp_path / 'front.svg')])
    script.main()
    said = capsys.readouterr().out
    assert '82.0 ± 2.8' in said and '85,096' in said and (tmp_path / 'front.svg').is_file()
