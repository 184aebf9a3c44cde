"""Two processes, gloo, CPU; one test calls torchrun as users do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pcdet_kd.engine import distributed
from pcdet_kd.utils.checkpoint import load_checkpoint_file

pytestmark = pytest.mark.xdist_group(
    'two_processes'
)  # one after the other, and one run for the three tests that share it

SCRIPT = """
import json, os, sys
import torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[2])
import pcdet_kd_toy as toy
from pcdet_kd.engine import PointRunner
out = sys.argv[1]
rank = os.environ['RANK']

def run(name, **options):
    options.update(launcher='pytorch', val_size=21, metric_file=f'{out}/{name}_records_{rank}')
    cfg = toy.toy_config(f'{out}/{name}', **options)
    runner = PointRunner.from_cfg(cfg)
    runner.train()
    return runner

runner = run('whole', epochs=2)
torch.save([b for b in runner.model.module.buffers()], f'{out}/buffers_{rank}.pt')
torch.save(runner.model.module.state_dict(), f'{out}/weights_{rank}.pt')
try:
    run('parts', epochs=2, custom_hooks=[dict(type='ActHook', at=3, act='raise')])
except TypeError:
    pass
runner = run('parts', epochs=2, resume=True)
torch.save(runner.model.module.state_dict(), f'{out}/resumed_{rank}.pt')
"""


@pytest.fixture(scope='module')
def finished(two_processes, tmp_path_factory):
    """Directory of a finished two-process run."""
    out = tmp_path_factory.mktemp('two')
    script = out / 'script.py'
    script.write_text(SCRIPT)
    two_processes(out, script, out, Path(__file__).parent)
    return out


def test_every_sample_is_counted_once(finished):
    records = json.loads((finished / 'whole_records_0').read_text())
    assert sorted(i for i, _ in records) == list(range(21))
    assert not (finished / 'whole_records_1').exists()  # the main process computes
    assert not (finished / '.dist_test').exists()
    assert load_checkpoint_file(finished / 'whole/last.pth')['meta']['scores']['toy/count'] == 21


def test_batch_norm_statistics_are_the_same_in_all_processes(finished):
    first, second = (torch.load(finished / f'buffers_{rank}.pt') for rank in (0, 1))
    assert len(first) == 3 and all(torch.equal(a, b) for a, b in zip(first, second))


def test_resume_is_exact(finished):
    whole = torch.load(finished / 'weights_0.pt')
    for rank in (0, 1):
        resumed = torch.load(finished / f'resumed_{rank}.pt')
        assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    meta = load_checkpoint_file(finished / 'parts/last.pth')['meta']
    assert (meta['epoch'], meta['world_size']) == (2, 2)


PIPELINE = """
import runpy, sys
import torch
torch.set_num_threads(1)
runpy.run_path(sys.argv.pop(1))  # registers the tiny data set
from pcdet_kd.cli import train
sys.exit(train.main())
"""


def test_all_stages_train_in_two_processes(tiny_configs):
    script = tiny_configs / 'script.py'
    script.write_text(PIPELINE)
    command = [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--standalone',
        '--nproc-per-node=2',
        str(script),
        str(Path(__file__).parents[1] / 'conftest.py'),
        str(tiny_configs / 'tiny_pointcmt.py'),
        '--launcher',
        'pytorch',
        '--cfg-options',
        'max_epochs=1',
    ]
    done = subprocess.run(
        command,
        cwd=tiny_configs.parent,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('trains in') == 3, 'one process speaks'
    assert json.loads((tiny_configs.parent / 'work_dirs/tiny_pointcmt/stage.json').read_text())[
        'finished'
    ]


def test_an_error_of_the_main_process_is_every_processs(monkeypatch):
    monkeypatch.setattr(distributed, 'is_main_process', lambda: False)
    monkeypatch.setattr(
        distributed,
        'broadcast_object_list',
        lambda found: found.__setitem__(1, ValueError('no file')),
    )
    with pytest.raises(ValueError, match='no file'):
        distributed.on_main(pytest.fail, 'this is not the main process')
