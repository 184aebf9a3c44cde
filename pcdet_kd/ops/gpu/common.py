"""What the launchers of the Triton kernels share."""

import functools
import os

import torch
import triton
import triton.language as tl
from torch import Tensor

OPTIONS = dict(enable_fp_fusion=False)  # passed with every launch: Triton fuses a * b + c otherwise
ABSENT = tl.constexpr(0x7FFFFFFF)  # above the bits of every float32, infinity included
WARP = 32


def missing() -> str | None:
    """Return why Triton cannot launch kernels on the GPU that is there, or None.

    It builds its launchers with a C compiler and Python's headers, which many container images
    lack.
    """
    if os.environ.get('TRITON_INTERPRET') == '1' or not torch.cuda.is_initialized():
        return None
    return _missing_launcher()


@functools.cache
def _missing_launcher() -> str | None:
    try:
        triton.runtime.driver.active.get_current_target()
    except Exception as error:  # no compiler, no header, no driver: each is of another type
        return (
            f'Triton cannot launch kernels ({type(error).__name__}: '
            f'{(str(error).splitlines() or [""])[0]})'
        )
    return None


def planes(points: Tensor) -> Tensor:
    """Return points (B, N, 3) as float32 (B, 3, N): neighbouring threads then read neighbouring
    words.
    """
    return points.detach().float().transpose(1, 2).contiguous()


def rows(points: Tensor) -> Tensor:
    """Return points (B, N, C) as contiguous float32, without their graph."""
    return points.detach().float().contiguous()


def power_of_2(size: int, least: int = WARP) -> int:
    """Return the least power of 2 that is at least ``size`` and ``least``: Triton's blocks come in
    these sizes.
    """
    return max(least, triton.next_power_of_2(size))


def on_device(tensor: Tensor) -> torch.cuda.device_of:
    """Return the context in which a kernel on ``tensor`` must be launched: its GPU made the current
    one.
    """
    return torch.cuda.device_of(tensor)


@triton.jit
def bits_of_distances(points, num_points, n, x, y, z):
    """Return the bits of the squared distances from (x, y, z) to points ``n`` of one cloud, ABSENT
    from ``num_points`` on.

    ``points`` is the start of the cloud's three planes of ``num_points`` each.
    """
    inside = n < num_points
    dx = tl.load(points + n, inside, 0.0) - x
    dy = tl.load(points + num_points + n, inside, 0.0) - y
    dz = tl.load(points + 2 * num_points + n, inside, 0.0) - z
    squared = dx * dx + dy * dy + dz * dz
    return tl.where(inside, squared.to(tl.int32, bitcast=True), ABSENT)
