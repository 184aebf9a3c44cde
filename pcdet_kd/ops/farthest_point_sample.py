"""Farthest point sampling."""

import numpy as np
import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_choice, check_cloud, check_count

NEAR_ORIGIN = 1e-3  # pointnet2_ops ignores points whose squared norm is at most this


@torch.no_grad()
def farthest_point_sample(points: Tensor, num_samples: int, start: int | str = 0, compat: str | None = None) -> Tensor:
    """Choose points that lie far apart: each new one has the greatest distance to those already chosen.

    Args:
        points: (B, N, 3) clouds. Distances are computed in float32 whatever the type.
        num_samples: M, 1 to N.
        start: Index of the first point of each cloud, or ``'random'``: one index per cloud from torch's global generator.
        compat: ``'pointnet2'`` reproduces the CUDA kernel of pointnet2_ops (as in PointCMT and RS-CNN), which passes over
            every point with a squared norm of at most 1e-3: such a point is never chosen, except as the start (or as point 0
            when there is no other). Papers that normalise clouds to the unit sphere were trained with that hole.

    Returns:
        (B, M) int64 indices into N, in the order of choice. On equal distances the lowest index wins. A cloud with fewer
        than M different positions repeats the lowest of its farthest indices. No gradient.

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
        raise ValueError(f"start is {start!r}, expected 'random' or an index below {num_points} "
                         f'(points has shape {tuple(points.shape)})')
    kernels = backend.kernels('farthest_point_sample', points)
    if kernels is None:
        return farthest_point_sample_torch(points, num_samples, first, compat == 'pointnet2')
    array, starts = backend.to_numpy(points), first.tolist()
    near_origin = np.float32(NEAR_ORIGIN if compat == 'pointnet2' else -1)
    chosen = torch.empty(batch, num_samples, dtype=torch.int64)
    out = chosen.numpy()
    backend.for_each_cloud(lambda b: kernels.farthest_points(array[b], starts[b], near_origin, out[b]), batch)
    return chosen.to(points.device)


def farthest_point_sample_torch(points: Tensor, num_samples: int, first: Tensor, skip_near_origin: bool) -> Tensor:
    """The same in plain torch, on any device; ``first`` (B,) int64 holds the start indices."""
    x, y, z = points.detach().float().unbind(-1)
    x, y, z = x.contiguous(), y.contiguous(), z.contiguous()
    nearest = torch.full_like(x, torch.inf)  # squared distance to the nearest chosen point
    if skip_near_origin:
        nearest[x * x + y * y + z * z <= NEAR_ORIGIN] = -1
    chosen = torch.empty(num_samples, len(x), dtype=torch.int64, device=x.device)
    current = first[:, None]
    for i in range(num_samples):
        chosen[i] = current[:, 0]
        dx, dy, dz = x - x.gather(1, current), y - y.gather(1, current), z - z.gather(1, current)
        # not addcmul: it fuses, and the sums would differ from the kernels' in the last bit
        nearest = torch.minimum(nearest, dx * dx + dy * dy + dz * dz)
        current = nearest.argmax(1, keepdim=True)
    return chosen.t().contiguous()
