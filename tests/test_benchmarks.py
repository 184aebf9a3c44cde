"""The benchmark scripts run: their help, every row on tiny shapes, and what they say about a peer
that is not there.
"""

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

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
def test_help(script):
    done = subprocess.run(
        [sys.executable, str(FOLDER / script), '--help'],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and 'usage: ' in done.stdout, done.stderr


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
