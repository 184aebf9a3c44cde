"""The script that measures on a GPU runs where there is none: it says so, or works on tiny
shapes.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[1] / 'benchmarks'


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks, as its scripts do, and forget it again: one is called
    ops.
    """
    monkeypatch.syspath_prepend(str(FOLDER))
    names = {p.stem for p in FOLDER.glob('*.py')}
    before = set(sys.modules)
    yield importlib.import_module
    for name in names & (set(sys.modules) - before):
        del sys.modules[name]


def run(*args):
    return subprocess.run(
        [sys.executable, str(FOLDER / 'gpu.py'), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=250,
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_without_a_gpu_it_says_so(tmp_path):
    done = run('--out', tmp_path)
    assert done.returncode == 1 and 'no CUDA device' in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_checkout_is_enough_and_kernels_need_no_mmengine(tmp_path):
    (tmp_path / 'sitecustomize.py').write_text(
        'import sys; sys.modules["mmengine"] = None; sys.meta_path[:] = [f for f in sys.meta_path '
        'if "ditable" not in str(f)]'
    )
    environment = {**os.environ, 'PYTHONPATH': str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(FOLDER / 'gpu.py'), 'emd', '--tiny', '--out', str(tmp_path / 'out')],
        capture_output=True,
        text=True,
        timeout=250,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_unknown_sections(tmp_path):
    done = run('chekc')
    assert (
        done.returncode == 2 and 'no section chekc; there are check, ops, emd, train' in done.stderr
    )


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU: run the script')
def test_tiny_sections_leave_a_table_and_figures(tmp_path):
    done = run('ops', 'emd', '--tiny', '--out', tmp_path, '--seed', 5)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / 'gpu.md').read_text()
    assert text.strip() == done.stdout.strip() and 'FAILED' not in text and 'seed 5' in text
    facts = json.loads((tmp_path / 'gpu.json').read_text())
    assert list(facts['sections']) == ['ops', 'emd'] and all(
        row['ms'] > 0 for row in facts['sections']['ops'][1:]
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ['gpu.json', 'gpu.md']


def test_a_tiny_check_finds_no_difference(module):
    rows = list(module('gpu_check').rows(module('gpu_sections').Setting(seed=1, tiny=True)))
    assert not [row for row in rows if row.get('failed')]
    assert {'farthest_point_sample', 'knn', 'ball_query', 'edge_max_sum_backward'} <= {
        row['cells'][0] for row in rows
    }


def test_a_difference_is_a_failure(module, monkeypatch):
    check, setting = module('gpu_check'), module('gpu_sections').Setting(seed=1, tiny=True)
    monkeypatch.setattr(
        check, 'both', lambda setting, op, *args: [(torch.zeros(3),), (torch.ones(3),)]
    )
    (row,) = check.compare(setting, 'knn', 'clouds')
    assert (
        row['failed'] == 'knn, clouds: 3 of 3 differ'
        and check.compare(setting, 'knn', 'clouds', exact=False)[0]['failed']
    )


@pytest.mark.parametrize('network', ['DGCNN', 'PointCMT III, PointNet2MSG'])
def test_training(module, network):
    (row,) = module('gpu_train').train(
        network, module('gpu_sections').Setting(seed=1, tiny=True), 2
    )
    assert row['samples_per_second'] > 0 and len(row['cells']) == len(
        module('gpu').COLUMNS['train']
    )


def test_a_failure_is_a_row_and_the_rest_goes_on(module, monkeypatch, tmp_path):
    sections, gpu = module('gpu_sections'), module('gpu')
    (row,) = sections.guarded('a case', 4, lambda: 1 / 0)
    assert (
        row['cells'] == ['a case', '', '', 'FAILED']
        and 'ZeroDivisionError: division by zero' in row['failed']
    )
    assert '- FAILED: a case: ZeroDivisionError' in gpu.table('emd', [row])
    monkeypatch.setitem(gpu.SECONDS, 'ops', 0.01)
    monkeypatch.setattr(sys, 'argv', ['gpu.py', '--tiny', '--out', str(tmp_path)])
    rows = gpu.run_section('ops', gpu.parse_args())
    assert rows[-1]['failed'] == 'section ops: cut short after 0.01 s'
