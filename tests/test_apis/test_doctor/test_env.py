import json
from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.apis.doctor import env
from pcdet_kd.apis.doctor.env import check_env
from pcdet_kd.ops import backend


@pytest.fixture
def found(monkeypatch):
    """Return the findings of a report, by what they are about."""

    def look():
        report = check_env()
        json.dumps(report.to_dict())
        return {finding.about: finding for finding in report.findings}, report

    return look


def test_this_machine(found):
    findings, report = found()
    assert not report.is_broken and '' not in findings
    text = report.text()
    assert torch.__version__ in text and report.sections['Machine']['processors'] >= 1
    kernels = report.sections['Kernels on the CPU']
    assert 'knn' in kernels['numba'] and 'group' in kernels['torch']
    assert sum(map(len, kernels.values())) == len(backend.KERNELS)


def test_a_missing_numba_is_slow_and_says_what_to_install(found, monkeypatch):
    real = backend.missing
    text = 'numba cannot be imported (no module)'
    monkeypatch.setattr(backend, 'missing', lambda n: text if n == 'numba' else real(n))
    findings, report = found()
    assert findings[''].level == 'warning' and findings[''].fix == 'pip install numba'
    assert 'knn' in findings[''].text and not report.is_broken
    assert 'numba' not in report.sections['Kernels on the CPU']


def test_a_choice_of_plain_torch_is_no_fault(found):
    with ops.use('torch'):
        assert '' not in found()[0]


def test_threads(found, monkeypatch):
    monkeypatch.setattr(env, 'default_workers', lambda: 64)
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    threads = found()[0]['threads']
    assert threads.level == 'note' and threads.fix == 'unset OMP_NUM_THREADS'
    monkeypatch.delenv('OMP_NUM_THREADS')
    monkeypatch.delenv('MKL_NUM_THREADS', raising=False)
    threads = found()[0]['threads']
    assert threads.level == 'warning' and threads.fix == 'export OMP_NUM_THREADS=64'


def test_a_gpu_that_torch_cannot_use(found, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(env.glob, 'glob', lambda pattern: [])
    monkeypatch.setattr(env.shutil, 'which', lambda name: None)
    assert found()[0]['GPU'].level == 'note'
    monkeypatch.setattr(env.shutil, 'which', lambda name: name)
    monkeypatch.setattr(torch.version, 'cuda', None)
    assert 'without CUDA' in found()[0]['GPU'].text
    monkeypatch.setattr(torch.version, 'cuda', '13.0')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    assert found()[0]['GPU'].fix == 'unset CUDA_VISIBLE_DEVICES'
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0')
    assert 'driver' in found()[0]['GPU'].fix


def test_a_gpu_is_described(monkeypatch):
    of = SimpleNamespace(name='Big', major=9, minor=0, total_memory=80_000_000_000)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    monkeypatch.setattr(torch.cuda, 'get_device_properties', lambda number: of)
    assert env._gpus() == [
        dict(gpu=0, name='Big', compute_capability='9.0', memory_bytes=80_000_000_000)
    ]


def test_the_small_shared_memory_of_a_container(found, monkeypatch):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(env.os.path, 'isdir', lambda path: True)
    monkeypatch.setattr(env.shutil, 'disk_usage', lambda path: usage(64 * 2**20, 0, 0))
    assert '64 MB' in found()[0]['/dev/shm'].text


def test_mixed_precision(found, monkeypatch):
    monkeypatch.delenv('PCDET_KD_AMP', raising=False)
    monkeypatch.setattr('pcdet_kd.engine.amp._has_bfloat16', lambda: False)
    assert found()[0]['--amp'].level == 'note'
