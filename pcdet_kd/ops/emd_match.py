"""The bijection between two clouds with the least total distance."""

import torch
from torch import Tensor

from pcdet_kd.ops.checks import check_batch, check_cloud


@torch.no_grad()
def emd_match(x: Tensor, y: Tensor, eps: float = 1e-5) -> Tensor:
    """Match each point of x with a point of y."""
    from scipy.optimize import linear_sum_assignment
    check_cloud('x', x, channels=3)
    check_cloud('y', y, channels=3)
    check_batch(('x', 'y'), x, y)
    if x.shape != y.shape:
        raise ValueError(f'x {tuple(x.shape)} and y {tuple(y.shape)} need the same number of points: a bijection is sought')
    costs = torch.cdist(x.detach().double().cpu(), y.detach().double().cpu(), compute_mode='donot_use_mm_for_euclid_dist')
    return torch.stack([torch.from_numpy(linear_sum_assignment(c.numpy())[1]) for c in costs]).to(x.device)
