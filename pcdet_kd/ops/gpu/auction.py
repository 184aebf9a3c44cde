"""The earth mover's bijection by auction, and MSN's: one block of a CUDA kernel (``auction.cu``)
per pair of clouds.
"""

import ctypes
import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.emd_match import to_unit_size, unfinished
from pcdet_kd.ops.gpu import nvrtc
from pcdet_kd.ops.gpu.common import rows

# as on the CPU: the proven relative gap, in units of eps, beyond which the auction goes on past eps
TOLERANCE = 10
BIDS_PER_POINT = 5000
BYTES_PER_POINT = dict(
    auction=36, msn=48
)  # of shared memory, for points, prices, owners, queue or bids
THREADS = 128, 1024  # the fewest and the most in a block

missing = nvrtc.missing


def emd_match(x: Tensor, y: Tensor, eps: float, exact: bool) -> tuple[Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.emd_match.emd_match_torch`.

    It bids for up to 32 rows at once where the CPU kernel bids for one, so that the two need not
    find the same one of several equally good bijections. Clouds that do not fit in a block's shared
    memory (6,400 points on an H200, 2,700 or more on GPUs since 2017) are matched on the CPU, with
    one warning; so are those whose ``exact`` optimum is asked for.
    """
    batch, num_points, _ = x.shape
    if exact or not _fits('auction', num_points, x.device):
        return _on_cpu('emd_match')(x, y, eps, exact)
    a, b, scale = to_unit_size(x, y)
    a, b, scale = a.float().contiguous(), b.float().contiguous(), scale.contiguous()
    match = torch.empty(batch, num_points, dtype=torch.int64, device=x.device)
    totals, bounds = torch.empty_like(scale), torch.empty_like(scale)
    unsold = torch.empty(batch, dtype=torch.int32, device=x.device)
    load('auction', x.device)(
        batch,
        _threads(num_points),
        BYTES_PER_POINT['auction'] * num_points,
        a,
        b,
        scale,
        match,
        totals,
        bounds,
        unsold,
        ctypes.c_int(num_points),
        ctypes.c_float(eps),
        ctypes.c_double(TOLERANCE * eps),
        ctypes.c_longlong(BIDS_PER_POINT),
    )
    if backend.checks_values() and bool(unsold.any()):
        i = int(unsold.argmax())
        gap = float(bounds[i] / totals[i])
        warnings.warn(unfinished(i, x, int(unsold[i]), gap), stacklevel=3)
    return match, (bounds / num_points * scale).float()


def msn_match(x: Tensor, y: Tensor, eps: float, iterations: int) -> Tensor:
    """See :func:`pcdet_kd.ops.emd_match.msn_match_torch`; the same indices as on the CPU."""
    batch, num_points, _ = x.shape
    if not _fits('msn', num_points, x.device):
        return _on_cpu('msn_match')(x, y, eps, iterations)
    match = torch.zeros(batch, num_points, dtype=torch.int64, device=x.device)
    if num_points > 1:
        load('msn', x.device)(
            batch,
            _threads(num_points),
            BYTES_PER_POINT['msn'] * num_points,
            rows(x),
            rows(y),
            match,
            ctypes.c_int(num_points),
            ctypes.c_float(eps),
            ctypes.c_int(iterations),
        )
    return match


@functools.cache
def load(name: str, device: torch.device) -> nvrtc.Kernel:
    """Return a kernel for a device; the first call compiles it, in half a second."""
    return nvrtc.Kernel(
        Path(__file__).with_name('auction.cu').read_text(encoding='utf-8'), name, device
    )


def _fits(name: str, num_points: int, device: torch.device) -> bool:
    limit = load(name, device).shared_limit // BYTES_PER_POINT[name]
    if num_points > limit:
        _warn_of(name, limit)
    return num_points <= limit


def _threads(num_points: int) -> int:
    return min(max(1 << (num_points - 1).bit_length(), THREADS[0]), THREADS[1])


def _on_cpu(op: str) -> Callable[..., Any]:
    return backend.implementation(op, 'torch' if backend.missing('numba') else 'numba')


@functools.cache
def _warn_of(name: str, limit: int) -> None:
    warnings.warn(
        f'emd_match: this GPU matches clouds of at most {limit} points ({name}), so larger ones '
        'are copied to the CPU and back',
        stacklevel=5,
    )
