"""Farthest point sampling."""

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_cloud, check_count
from pcdet_kd.utils.arguments import check_choice

NEAR_ORIGIN = 1e-3  # pointnet2_ops ignores points whose squared norm is at most this


def farthest_point_sample(
    points: Tensor,
    num_samples: int,
    start: int | str = 0,
    compat: str | None = None,
) -> Tensor:
    """Choose points that lie far apart: each new one has the greatest distance to those already
    chosen.

    Args:
        points: (B, N, 3) clouds. Distances are computed in float32 whatever the type.
        num_samples: M, 1 to N.
        start: Index of the first point of each cloud, or ``'random'``: one index per cloud from
            torch's global generator.
        compat: ``'pointnet2'`` reproduces the CUDA kernel of pointnet2_ops (as in PointCMT and
            RS-CNN), which passes over every point with a squared norm of at most 1e-3: such a point
            is never chosen, except as the start (or as point 0 when there is no other). Papers that
            normalise clouds to the unit sphere were trained with that hole.

    Returns:
        (B, M) int64 indices into N, in the order of choice. On equal distances the lowest index
        wins. A cloud with fewer than M different positions repeats the lowest of its farthest
        indices. No gradient.

    Raises:
        ValueError: A wrong shape, M > N, a start outside the cloud, or values that are not finite.
    """
    check_cloud('points', points, channels=3)
    batch, num_points, _ = points.shape
    check_count('num_samples', num_samples, num_points, f'points {tuple(points.shape)}')
    check_choice('compat', compat, (None, 'pointnet2'))
    if start == 'random':
        first = torch.randint(num_points, (batch,), device=points.device)
    elif isinstance(start, int) and 0 <= start < num_points:
        first = torch.full((batch,), start, dtype=torch.int64, device=points.device)
    else:
        raise ValueError(
            f"start is {start!r}, expected 'random' or an index below {num_points} "
            f'(points has shape {tuple(points.shape)})'
        )
    return _farthest_point_sample(
        points.detach(), first, num_samples, NEAR_ORIGIN if compat == 'pointnet2' else -1.0
    )


def farthest_point_sample_torch(
    points: Tensor, first: Tensor, num_samples: int, near_origin: float
) -> Tensor:
    """The same in plain torch, on any device.

    Args:
        points: (B, N, 3).
        first: (B,) int64 start indices.
        num_samples: M.
        near_origin: Points with a squared norm of at most this are passed over; negative: none.
    """
    x, y, z = points.detach().float().unbind(-1)
    x, y, z = x.contiguous(), y.contiguous(), z.contiguous()
    nearest = torch.full_like(x, torch.inf)  # squared distance to the nearest chosen point
    nearest = nearest.masked_fill(x * x + y * y + z * z <= near_origin, -1)
    chosen, current = [], first[:, None]
    for _ in range(num_samples):
        chosen.append(current)
        dx, dy, dz = x - x.gather(1, current), y - y.gather(1, current), z - z.gather(1, current)
        # not addcmul: it fuses, and the sums would differ from the kernels' in the last bit
        nearest = torch.minimum(nearest, dx * dx + dy * dy + dz * dz)
        current = nearest.argmax(1, keepdim=True)
    return torch.cat(chosen, dim=1)


_farthest_point_sample = backend.define(
    farthest_point_sample_torch,
    lambda points, first, num_samples, near_origin: first.new_empty(points.shape[0], num_samples),
)
