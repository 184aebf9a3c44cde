"""Which implementation the ops take: plain torch, numba kernels on the CPU, Triton's on the GPU, or
mmcv's.

Every op is a ``torch.library`` custom op whose body is ``run(name, …)``, so that the choice is made
when it runs, also inside a compiled or exported graph.
"""

import functools
import importlib
import os
import platform
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from pcdet_kd.utils.arguments import check_choice

BACKENDS = ('auto', 'torch', 'numba', 'triton', 'mmcv')
# op -> back end -> module below pcdet_kd.ops; the function there has the op's name and signature.
# Plain torch is `<op>_torch` in the op's own file.
KERNELS: dict[str, dict[str, str]] = {
    'ball_query': dict(numba='cpu.neighbors', triton='gpu.ball_query', mmcv='mmcv'),
    'edge_max_sum': dict(numba='cpu.edges', triton='gpu.edges'),
    'edge_max_sum_backward': dict(numba='cpu.edges', triton='gpu.edges'),
    'emd_match': dict(numba='cpu.auction', triton='gpu.auction'),
    'farthest_point_sample': dict(numba='cpu.fps', triton='gpu.fps', mmcv='mmcv'),
    'group': {},
    'group_backward': dict(numba='cpu.rows'),
    'interpolate': dict(numba='cpu.rows'),
    'interpolate_backward': dict(numba='cpu.rows'),
    'knn': dict(numba='cpu.neighbors', triton='gpu.knn', mmcv='mmcv'),
    'msn_match': dict(numba='cpu.auction', triton='gpu.auction'),
    'nearest_pairs': dict(numba='cpu.pairs', triton='gpu.nearest_pairs'),
    'project_points': dict(numba='cpu.projection', triton='gpu.projection'),
    'rasterize_mesh': dict(numba='cpu.rasterization'),
    'three_nn': dict(numba='cpu.neighbors', triton='gpu.three_nn'),
}
AUCTIONS = (
    'emd_match',
    'msn_match',
)  # without a GPU kernel, the CPU's still beats SciPy and plain torch on a copy
# The op whose file holds the plain form of another.
REFERENCE = dict(
    edge_max_sum_backward='edge_max_sum',
    group_backward='group',
    interpolate='three_interpolate',
    interpolate_backward='three_interpolate',
    msn_match='emd_match',
    nearest_pairs='chamfer_distance',
    three_nn='three_interpolate',
)
INSTALL = dict(
    numba='pip install numba',
    triton='pip install triton',
    mmcv='install the full mmcv with its CUDA ops',
)

_chosen, _check_values = 'auto', True
_warned = set()


class Choice(NamedTuple):
    """A back end, and why it was taken."""

    backend: str
    why: str


class use:
    """Choose the implementation of all ops, for good or inside a ``with`` block.

    All but mmcv's give the same indices on 3-D clouds; what differs is speed. Gradients never
    depend on it. The choice holds for all threads of the process.

    Args:
        name: ``'auto'``: numba for CPU tensors, Triton for CUDA tensors, plain torch for the rest,
            and for an op without a usable kernel (with one warning). ``'torch'``: always plain
            torch. ``'numba'``: always the CPU kernels; tensors on other devices are copied there
            and the results back. ``'triton'``: as ``'auto'``, but an unusable GPU kernel is
            an error; under ``TRITON_INTERPRET=1`` CPU tensors take Triton's interpreter.
            ``'mmcv'``: for CUDA tensors the ops of a full mmcv where it has them (its own rules for
            ties and borders), else ``'auto'``.
        check_values: Whether ops look for NaN, infinities and indices out of range. On CUDA each
            look waits for the device, so that a timed loop whose data were checked before may turn
            it off.

    Raises:
        ValueError: An unknown name.
        ImportError: A back end that was asked for by name cannot be imported.
    """

    def __init__(self, name: str, check_values: bool = True) -> None:
        global _chosen, _check_values
        check_choice('back end', name, BACKENDS)
        if name in INSTALL and missing(name):
            raise ImportError(f"ops.use('{name}'): {missing(name)}; {INSTALL[name]}")
        self._previous = _chosen, _check_values
        _chosen, _check_values = name, check_values

    def __enter__(self) -> 'use':
        return self

    def __exit__(self, *exc_info: object) -> None:
        global _chosen, _check_values
        _chosen, _check_values = self._previous


def info() -> dict[str, Any]:
    """Return what was chosen, the versions of numba, Triton and mmcv (None: missing), the processor
    and its instruction set as torch uses it, and what each op and the linear layers take and why.

    ``info()['ops'][op]['cpu']`` and ``['cuda']``, and ``info()['linear']``, are pairs (back end,
    why).
    """
    versions = {
        name: None if missing(name) else importlib.import_module(name).__version__
        for name in INSTALL
    }
    ops = {op: {device: choose(op, device) for device in ('cpu', 'cuda')} for op in KERNELS}
    return dict(
        use=_chosen,
        check_values=_check_values,
        **versions,
        processor=processor(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        threads=torch.get_num_threads(),
        linear=linear(),
        ops=ops,
    )


@functools.cache
def processor() -> str:
    """Return the processor's name."""
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            names = (line.partition(':')[2].strip() for line in file if 'model name' in line)
            return next(names, platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def linear() -> Choice:
    """Return what multiplies the matrices of :func:`pcdet_kd.layers.linear.linear`, and why:
    ``'onednn'`` or ``'torch'``.
    """
    instructions, name = torch.backends.cpu.get_cpu_capability(), processor()
    if not torch.backends.mkldnn.is_available():
        return Choice('torch', 'this build of torch has no oneDNN')
    if instructions == 'AVX512' and 'AMD' in name:
        return Choice('onednn', f'MKL leaves AVX512 unused on {name}')
    return Choice('torch', f'oneDNN is not faster with {instructions} on {name}')


def checks_values() -> bool:
    """Return whether the ops should look at the values they are given: not while a graph is
    made.
    """
    # is_initialized, not is_available: a forked DataLoader worker must not ask the driver anything
    return (
        _check_values
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and not (torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())
    )


def missing(name: str) -> str | None:
    """Return why a back end cannot be imported, or None if it can. The first call imports it."""
    try:
        importlib.import_module('mmcv.ops' if name == 'mmcv' else name)
    except ImportError as error:
        return f'{name} cannot be imported ({error})'
    return None


def choose(op: str, device: str) -> Choice:
    """Return the back end that ``op`` takes on tensors of a device type, and why."""
    kernels = KERNELS[op]
    wanted = _wanted(op, device)
    if wanted is None:
        why = f"use('{_chosen}')" if _chosen == 'torch' else f'no kernel of it for {device} tensors'
        return Choice('torch', why)
    why = missing(wanted)
    if why is None and wanted == 'triton':
        why = getattr(_module(kernels[wanted]), 'missing', _module('gpu.common').missing)()
    if why is None:
        copied = ', copied to the CPU and back' if wanted == 'numba' and device != 'cpu' else ''
        return Choice(wanted, f"use('{_chosen}'){copied}")
    if _chosen == wanted:
        raise RuntimeError(f"{op}: ops.use('{wanted}') was asked for, but {why}")
    if wanted == 'triton' and op in AUCTIONS and not missing('numba'):
        return Choice('numba', f'copied to the CPU and back: {why}')
    return Choice('torch', why)


def _wanted(op: str, device: str) -> str | None:
    """Return the back end that would be taken if everything were installed, or None for plain
    torch.
    """
    kernels = KERNELS[op]
    if _chosen == 'torch':
        return None
    if _chosen == 'mmcv' and device == 'cuda' and 'mmcv' in kernels:
        return 'mmcv'
    interpreted = _chosen == 'triton' and os.environ.get('TRITON_INTERPRET') == '1'
    if (
        'triton' in kernels
        and _chosen != 'numba'
        and (device == 'cuda' or (interpreted and kernels['triton'] != 'gpu.auction'))
    ):
        return 'triton'
    if 'numba' in kernels and (device == 'cpu' or _chosen == 'numba' or op in AUCTIONS):
        return 'numba'
    return None


def run(op: str, *args: Any) -> Any:
    """Call the chosen implementation of ``op``; the first argument, a tensor, says for which
    device.
    """
    device = args[0].device.type
    backend, why = choose(op, device)
    if (
        backend != _wanted(op, device)
        and _chosen != 'torch'
        and (op, why) not in _warned
        and 'no kernel' not in why
    ):
        _warned.add((op, why))
        warnings.warn(
            f'{op}: {why}, so the slower '
            f'{"CPU kernel" if backend == "numba" else "plain version"} runs '
            "(or silence this with pcdet_kd.ops.use('torch'))",
            stacklevel=2,
        )
    return implementation(op, backend)(*args)


def define(plain: Callable[..., Any], fake: Callable[..., Any]) -> torch.library.CustomOpDef:
    """Return the custom op of a plain form ``<op>_torch``: it has the same signature, and
    :func:`run` as its body.

    Args:
        plain: The op in plain torch.
        fake: Returns empty outputs of the right shapes and types for the same arguments.
    """
    name = plain.__name__.removesuffix('_torch')
    schema = torch.library.infer_schema(plain, mutates_args=())
    op = torch.library.custom_op(
        f'pcdet_kd::{name}', lambda *args: run(name, *args), mutates_args=(), schema=schema
    )
    op.register_fake(fake)
    return op


def implementation(op: str, backend: str) -> Callable[..., Any]:
    """Return the function that does ``op`` on a back end."""
    if backend == 'torch':
        return getattr(_module(REFERENCE.get(op, op)), f'{op}_torch')
    return getattr(_module(KERNELS[op][backend]), op)


def _module(name: str) -> Any:
    return importlib.import_module(f'pcdet_kd.ops.{name}')
