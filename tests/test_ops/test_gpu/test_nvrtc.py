import ctypes
import types
from pathlib import Path

import pytest
import torch

from pcdet_kd.ops.gpu import nvrtc

SOURCE = (
    'extern "C" __global__ void twice(float* v, int n) { if (threadIdx.x < n) v[threadIdx.x] '
    '*= 2; }'
)


@pytest.fixture
def compiler():
    try:
        nvrtc._nvrtc()
    except OSError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize('capability', [75, 80, 90])
def test_every_kernel_compiles_without_a_gpu(compiler, capability):
    sources = list(Path(nvrtc.__file__).parent.glob('*.cu'))
    assert sources
    for source in sources:
        assert nvrtc.compile_cuda(source.read_text(), capability).startswith(b'\x7fELF')


def test_gpus_that_nvrtc_does_not_know(compiler):
    assert b'.target sm_' in nvrtc.compile_cuda(SOURCE, 9999)
    with pytest.raises(RuntimeError, match=r'this GPU has 1\.0'):
        nvrtc.compile_cuda(SOURCE, 10)


def test_errors_in_the_source_are_shown(compiler):
    with pytest.raises(RuntimeError, match='expected a'):
        nvrtc.compile_cuda(SOURCE.replace('*= 2', '*='), 90)


@pytest.mark.parametrize(
    'gone, said', [('_nvrtc', 'pip install nvidia-cuda-nvrtc'), ('_driver', 'libcuda.so.1')]
)
def test_what_is_missing(monkeypatch, gone, said):
    for name in ('_nvrtc', '_driver'):
        monkeypatch.setattr(nvrtc, name, lambda: None)
    assert nvrtc.missing() is None
    monkeypatch.undo()
    getattr(nvrtc, gone).cache_clear()

    def cannot(path):
        raise OSError(path)

    monkeypatch.setattr(nvrtc.ctypes, 'CDLL', cannot)
    with pytest.raises(OSError, match=said):
        getattr(nvrtc, gone)()
    assert nvrtc.missing()


class Driver:
    """Stands in for libcuda: notes the calls, fails in one of them."""

    kinds = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int

    def __init__(self, fails=''):
        self.calls, self.fails = [], fails

    def cuGetErrorString(self, status, text):
        text._obj.value = b'no luck'

    def __getattr__(self, name):
        def call(*args):
            self.calls.append((name, args))
            if name == 'cuDeviceGetAttribute':
                args[0]._obj.value = 1000
            if name == 'cuFuncGetAttribute':
                args[0]._obj.value = 100
            if (
                name == 'cuLaunchKernel' and args[9]
            ):  # what the pointers point to is gone after the call
                self.launched = [
                    ctypes.cast(p, ctypes.POINTER(kind))[0] for p, kind in zip(args[9], self.kinds)
                ]
            return 7 if name == self.fails else 0

        return call


@pytest.fixture
def make(monkeypatch):
    def kernel(driver):
        monkeypatch.setattr(nvrtc, '_driver', lambda: driver)
        monkeypatch.setattr(nvrtc, 'compile_cuda', lambda source, capability: b'%d' % capability)
        monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: (9, 0))
        monkeypatch.setattr(
            torch.cuda, 'current_stream', lambda device: types.SimpleNamespace(cuda_stream=11)
        )
        return nvrtc.Kernel(SOURCE, 'twice', torch.device('cuda', 2))

    return kernel


def test_loading_and_launching(make):
    driver = Driver()
    kernel = make(driver)
    assert [name for name, _ in driver.calls] == [
        'cuDeviceGet',
        'cuDevicePrimaryCtxRetain',
        'cuCtxPushCurrent_v2',
        'cuModuleLoadData',
        'cuModuleGetFunction',
        'cuDeviceGetAttribute',
        'cuFuncGetAttribute',
        'cuFuncSetAttribute',
        'cuCtxPopCurrent_v2',
    ]
    calls = dict(driver.calls)
    assert (
        calls['cuDeviceGet'][1] == 2
        and calls['cuModuleLoadData'][1] == b'90'
        and calls['cuModuleGetFunction'][2] == b'twice'
    )
    assert kernel.shared_limit == calls['cuFuncSetAttribute'][2] == 900

    driver.calls.clear()
    tensor = torch.ones(3)
    kernel(5, 64, 128, tensor, None, ctypes.c_int(3))
    assert [name for name, _ in driver.calls] == [
        'cuCtxPushCurrent_v2',
        'cuLaunchKernel',
        'cuCtxPopCurrent_v2',
    ]
    _, *sizes, stream, _, extra = driver.calls[1][1]
    assert [size.value for size in sizes] == [5, 1, 1, 64, 1, 1, 128]
    assert stream.value == 11 and extra is None
    assert driver.launched == [tensor.data_ptr(), None, 3]


def test_errors_of_the_driver_are_shown(make):
    with pytest.raises(RuntimeError, match=r'cuModuleLoadData: no luck \(CUDA error 7\)'):
        make(Driver('cuModuleLoadData'))
    driver = Driver('cuLaunchKernel')
    with pytest.raises(RuntimeError, match='cuLaunchKernel'):
        make(driver)(1, 32, 0)
    assert driver.calls[-1][0] == 'cuCtxPopCurrent_v2'


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_on_a_gpu():
    kernel = nvrtc.Kernel(SOURCE, 'twice', torch.device('cuda', 0))
    v = torch.arange(40.0, device='cuda')
    kernel(1, 32, 0, v, ctypes.c_int(20))
    assert torch.equal(v.cpu(), torch.arange(40.0) * (1 + (torch.arange(40) < 20)))
