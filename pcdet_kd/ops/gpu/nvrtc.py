"""CUDA C++ without a toolkit: NVRTC, a library in torch's CUDA wheels, compiles it, and the driver
loads and launches it.
"""

import ctypes
import functools
import importlib.util
import os
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_void_p
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MAX_SHARED = 97  # CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
STATIC_SHARED = 1  # CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES
OPTIONS = ('--std=c++17', '--fmad=false')


def missing() -> str | None:
    """Return why nothing can be compiled and launched here, or None if it can."""
    try:
        _nvrtc()
        _driver()
    except OSError as error:
        return str(error)
    return None


def compile_cuda(source: str, capability: int) -> bytes:
    """Compile CUDA C++ for GPUs of a compute capability, 90 for 9.0; needs no GPU.

    Returns:
        Machine code, or, where this NVRTC is older than the GPU, PTX that the driver translates.

    Raises:
        OSError: There is no NVRTC.
        RuntimeError: The source has errors; the message holds NVRTC's log.
    """
    lib = _nvrtc()
    count = c_int()
    _check(lib, lib.nvrtcGetNumSupportedArchs(byref(count)))
    known = (c_int * count.value)()
    _check(lib, lib.nvrtcGetSupportedArchs(known))
    usable = [arch for arch in known if arch <= capability]
    if not usable:
        raise RuntimeError(
            f'NVRTC compiles for compute capabilities {min(known) / 10} and up, this GPU has '
            f'{capability / 10}'
        )
    form = 'CUBIN' if capability in usable else 'PTX'
    options = [
        f'--gpu-architecture={"sm" if form == "CUBIN" else "compute"}_{max(usable)}',
        *OPTIONS,
    ]
    program = c_void_p()
    _check(
        lib, lib.nvrtcCreateProgram(byref(program), source.encode(), b'kernel.cu', 0, None, None)
    )
    try:
        status = lib.nvrtcCompileProgram(
            program, len(options), (c_char_p * len(options))(*(o.encode() for o in options))
        )
        if status:
            log = _text(lib, program, 'ProgramLog').decode().rstrip('\0')
            raise RuntimeError(f'NVRTC could not compile with {options}:\n{log}')
        return _text(lib, program, form)
    finally:
        lib.nvrtcDestroyProgram(byref(program))


class Kernel:
    """A kernel that is loaded on one GPU.

    Args:
        source: CUDA C++.
        name: Of its ``extern "C" __global__`` function.
        device: A CUDA device.

    Attributes:
        shared_limit: Bytes of dynamic shared memory that a block may have.
    """

    def __init__(self, source: str, name: str, device: torch.device) -> None:
        major, minor = torch.cuda.get_device_capability(device)
        code = compile_cuda(source, 10 * major + minor)
        self._device, self._driver = device, _driver()
        index, self._context = c_int(), c_void_p()
        # the driver counts all GPUs, torch those that CUDA_VISIBLE_DEVICES leaves, as the driver
        # does
        self._call('cuDeviceGet', byref(index), device.index)
        self._call(
            'cuDevicePrimaryCtxRetain', byref(self._context), index
        )  # torch's own, for the life of the process
        module, self._function, limit, static = c_void_p(), c_void_p(), c_int(), c_int()
        self._call('cuCtxPushCurrent_v2', self._context)
        try:
            self._call('cuModuleLoadData', byref(module), code)
            self._call('cuModuleGetFunction', byref(self._function), module, name.encode())
            self._call('cuDeviceGetAttribute', byref(limit), MAX_SHARED, index)
            self._call('cuFuncGetAttribute', byref(static), STATIC_SHARED, self._function)
            self.shared_limit = limit.value - static.value
            self._call('cuFuncSetAttribute', self._function, DYNAMIC_SHARED, self.shared_limit)
        finally:
            self._call('cuCtxPopCurrent_v2', byref(c_void_p()))

    def __call__(self, blocks: int, threads: int, shared: int, *args: Any) -> None:
        """Launch on torch's current stream of the device.

        Args:
            blocks: Number of blocks.
            threads: Per block.
            shared: Bytes of dynamic shared memory per block.
            args: Contiguous tensors on the device, None for a null pointer, and ``ctypes`` numbers.
        """
        values = [
            arg
            if isinstance(arg, ctypes._SimpleCData)
            else c_void_p(arg.data_ptr() if isinstance(arg, Tensor) else None)
            for arg in args
        ]
        pointers = (c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stream = c_void_p(torch.cuda.current_stream(self._device).cuda_stream)
        one = c_uint(1)
        # a thread that has not used CUDA yet, such as one of autograd's, has no current context
        self._call('cuCtxPushCurrent_v2', self._context)
        try:
            self._call(
                'cuLaunchKernel',
                self._function,
                c_uint(blocks),
                one,
                one,
                c_uint(threads),
                one,
                one,
                c_uint(shared),
                stream,
                pointers,
                None,
            )
        finally:
            self._call('cuCtxPopCurrent_v2', byref(c_void_p()))

    def _call(self, name: str, *args: Any) -> None:
        status = getattr(self._driver, name)(*args)
        if status:
            text = c_char_p()
            self._driver.cuGetErrorString(status, byref(text))
            raise RuntimeError(
                f'{name}: {(text.value or b"unknown error").decode()} (CUDA error {status})'
            )


def _text(lib: ctypes.CDLL, program: c_void_p, what: str) -> bytes:
    size = c_size_t()
    _check(lib, getattr(lib, f'nvrtcGet{what}Size')(program, byref(size)))
    text = ctypes.create_string_buffer(size.value)
    _check(lib, getattr(lib, f'nvrtcGet{what}')(program, text))
    return text.raw


def _check(lib: ctypes.CDLL, status: int) -> None:
    if status:
        raise RuntimeError(f'NVRTC: {lib.nvrtcGetErrorString(status).decode()}')


@functools.cache
def _nvrtc() -> ctypes.CDLL:
    for path in _candidates():
        try:
            lib = ctypes.CDLL(path)
        except OSError:
            continue
        lib.nvrtcGetErrorString.restype = c_char_p
        return lib
    raise OSError(
        'NVRTC was not found (libnvrtc.so, in the CUDA wheels of torch; else: pip install '
        'nvidia-cuda-nvrtc)'
    )


def _candidates() -> list[str]:
    """Return names and files to try, those that fit torch's CUDA version first."""
    version = (torch.version.cuda or '').partition('.')[0]
    folders = [
        folder
        for name in ('nvidia', 'torch')
        if (spec := importlib.util.find_spec(name))
        for folder in spec.submodule_search_locations or ()
    ]
    files = [
        file
        for folder in folders
        for pattern in ('*/lib/libnvrtc.so*', 'lib/libnvrtc*.so*')
        for file in Path(folder).glob(pattern)
    ]
    for variable in ('CUDA_HOME', 'CUDA_PATH'):
        if variable in os.environ:
            files += Path(os.environ[variable]).glob('lib64/libnvrtc.so*')
    files = sorted(
        (str(file) for file in files if 'builtins' not in file.name),
        key=lambda name: f'.so.{version}' not in name,
    )
    return (
        [f'libnvrtc.so.{version}'] * bool(version)
        + files
        + ['libnvrtc.so', 'libnvrtc.so.13', 'libnvrtc.so.12']
    )


@functools.cache
def _driver() -> ctypes.CDLL:
    try:
        return ctypes.CDLL('libcuda.so.1')
    except OSError:
        raise OSError(
            'libcuda.so.1 cannot be found (it comes with the driver of the GPU)'
        ) from None
