import importlib
import inspect
import os
import signal
import subprocess
import sys
import warnings

import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.ops import backend
from pcdet_kd.ops.cpu import threads

POINTS = torch.randn(3, 40, 3, generator=torch.Generator().manual_seed(0))
CALLS = {
    'farthest_point_sample': lambda: ops.farthest_point_sample(POINTS, 9),
    'knn': lambda: ops.knn(POINTS, POINTS, 5),
    'ball_query': lambda: ops.ball_query(POINTS, POINTS, 0.8, 6),
    'msn_match': lambda: ops.emd_match(POINTS, POINTS.flip(0), compat='msn'),
    'emd_match': lambda: ops.emd_match(POINTS, POINTS.flip(0)),
}


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, 'numba', None)  # what makes `import numba` fail
    monkeypatch.setattr(backend, '_warned', set())


def test_use_lasts_or_is_undone_after_a_block():
    with ops.use('torch'):
        assert ops.info()['use'] == 'torch'
        inner = ops.use('numba')
        assert ops.info()['use'] == 'numba'
        inner.__exit__()
        assert ops.info()['use'] == 'torch'
    assert ops.info()['use'] == 'auto'
    with pytest.raises(ValueError, match="'cuda'"):
        ops.use('cuda')
    assert ops.info()['use'] == 'auto'


def test_info_names_the_back_end_of_every_op():
    assert set(ops.info()['ops']) == set(backend.KERNELS)
    assert ops.info()['ops']['knn']['cpu'] == ('numba', "use('auto')")
    with ops.use('torch'):
        assert {choice for op in ops.info()['ops'].values() for choice in op.values()} == {
            ('torch', "use('torch')")
        }
    with ops.use('numba'):
        assert ops.info()['ops']['knn']['cuda'] == (
            'numba',
            "use('numba'), copied to the CPU and back",
        )


def test_kernels_are_listed_in_order_and_exist():
    assert list(backend.KERNELS) == sorted(backend.KERNELS)
    for op, kernels in backend.KERNELS.items():
        reference = backend.implementation(op, 'torch')
        assert callable(getattr(torch.ops.pcdet_kd, op))
        if 'numba' in kernels:
            names = inspect.signature(reference).parameters
            assert (
                inspect.signature(backend.implementation(op, 'numba')).parameters.keys()
                == names.keys()
            ), op
        assert set(kernels) <= set(backend.INSTALL)


@pytest.mark.parametrize('op', CALLS)
def test_the_chosen_back_end_runs(op, monkeypatch):
    module = importlib.import_module(f'pcdet_kd.ops.{backend.KERNELS[op]["numba"]}')

    def broken(*args):
        raise RuntimeError('kernel')

    monkeypatch.setattr(module, op, broken)
    with ops.use('torch'):
        CALLS[op]()
    for name in ('auto', 'numba'):
        with ops.use(name), pytest.raises(RuntimeError, match='kernel'):
            CALLS[op]()


def test_without_triton_cuda_tensors_take_plain_torch_or_the_auction_on_a_copy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'triton', None)
    with ops.use('auto'):
        assert backend.choose('group', 'cuda') == ('torch', 'no kernel of it for cuda tensors')
        assert backend.choose('msn_match', 'cuda').backend == 'numba'
    monkeypatch.setitem(backend.KERNELS, 'knn', dict(numba='cpu.neighbors', triton='gpu.knn'))
    assert (
        backend.choose('knn', 'cuda').backend == 'torch'
        and 'triton can' in backend.choose('knn', 'cuda').why
    )
    with pytest.raises(ImportError, match='pip install triton'):
        ops.use('triton')


def test_without_a_c_compiler_cuda_tensors_take_plain_torch(monkeypatch):
    pytest.importorskip('triton')
    from pcdet_kd.ops.gpu import common

    common._missing_launcher.cache_clear()
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: True)
    monkeypatch.delenv('TRITON_INTERPRET', raising=False)

    def no_compiler(self):
        raise RuntimeError('Failed to find C compiler.\nMore lines')

    monkeypatch.setattr(type(common.triton.runtime.driver), 'active', property(no_compiler))
    said = 'Triton cannot launch kernels (RuntimeError: Failed to find C compiler.)'
    try:
        assert backend.choose('knn', 'cuda') == ('torch', said)
        assert "Triton can't" not in backend.choose('emd_match', 'cuda').why  # has no need of it
        with ops.use('triton'), pytest.raises(RuntimeError, match='Failed to find C compiler'):
            backend.choose('knn', 'cuda')
    finally:
        common._missing_launcher.cache_clear()


@pytest.mark.parametrize(
    'module',
    sorted({kernels['numba'] for kernels in backend.KERNELS.values() if 'numba' in kernels}),
)
def test_kernels_call_only_their_own_file(module):
    # numba's cache would not notice a change elsewhere
    module = importlib.import_module(f'pcdet_kd.ops.{module}')
    compiled = [f for f in vars(module).values() if hasattr(f, 'py_func')]
    assert compiled and {f.py_func.__module__ for f in compiled} == {module.__name__}


@pytest.mark.parametrize('op', CALLS)
def test_without_numba_ops_warn_once_and_agree(op, without_numba):
    with pytest.warns(UserWarning, match=f'{op}: numba') as caught:
        first = CALLS[op]()
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert torch.equal(CALLS[op](), first)
    with ops.use('torch'):
        assert torch.equal(CALLS[op](), first)


def test_without_numba_it_cannot_be_asked_for(without_numba):
    assert ops.info()['numba'] is None
    assert ops.info()['ops']['knn']['cpu'].backend == 'torch'
    with pytest.raises(ImportError, match='pip install numba'):
        ops.use('numba')
    with ops.use('torch'), warnings.catch_warnings():
        warnings.simplefilter('error')
        CALLS['knn']()


def test_values_are_looked_at_unless_turned_off():
    bad = POINTS.clone()
    bad[0, 3] = torch.nan
    with pytest.raises(ValueError, match='NaN'):
        ops.farthest_point_sample(bad, 4)
    with ops.use('torch', check_values=False):
        assert not ops.info()['check_values']
        ops.farthest_point_sample(bad, 4)
    assert ops.info()['check_values']


def test_a_process_without_cuda_asks_the_driver_nothing(monkeypatch):
    """Such as a forked worker of a process with CUDA, where the driver would answer with an
    error.
    """

    def forbidden():
        raise RuntimeError('CUDA error: initialization error')

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'is_initialized', lambda: False)
    monkeypatch.setattr(torch.cuda, 'is_current_stream_capturing', forbidden)
    with ops.use('numba'):
        CALLS['farthest_point_sample']()


def test_importing_the_ops_imports_no_heavy_package():
    code = (
        "import sys, pcdet_kd.ops; sys.exit(bool({'numba', 'scipy', 'pcdet_kd.ops.cpu'} & "
        'set(sys.modules)))'
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


@pytest.mark.parametrize('op', CALLS)
def test_threads_change_nothing(op):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = CALLS[op]()
        torch.set_num_threads(3)
        assert torch.equal(CALLS[op](), one)
    finally:
        torch.set_num_threads(before)


def test_each_cloud_keeps_its_place_and_errors_come_through(monkeypatch):
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 3)
    assert threads.for_each_cloud(lambda b: b * b, 7) == [b * b for b in range(7)]
    with pytest.raises(ZeroDivisionError):
        threads.for_each_cloud(lambda b: 1 // (b - 2), 7)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
def test_a_forked_process_starts_its_own_threads(monkeypatch):
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 2)
    expected = CALLS['knn']()
    child = os.fork()
    if not child:
        signal.alarm(60)  # rather than hang
        os._exit(0 if torch.equal(CALLS['knn'](), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
