"""Local grouping with the geometric affine module of PointMLP."""

import torch
from torch import Tensor, nn

from pcdet_kd.layers.inputs import at_least_float32
from pcdet_kd.ops import farthest_point_sample, group, knn


class LocalGrouper(nn.Module):
    r"""Sample centres and normalise the features of their neighbours (Ma et al., PointMLP, ICLR 2022).

    With f_j the features of the k nearest neighbours (the centre included) of a centre with feature f_i,

    .. math:: \hat f_j = \alpha \odot (f_j - f_i) / (\sigma + 10^{-5}) + \beta

    where :math:`\sigma` is the unbiased standard deviation of all f_j - f_i of one sample, over groups, neighbours and
    channels: one number per sample. (The code before February 2022 took it over the whole batch.) The output is
    [:math:`\hat f_j`, f_i].

    Args:
        channels: Channels C of the features.
        num_points: Centres to sample; a smaller cloud keeps all its points.
        num_neighbors: k; a cloud with fewer points uses all of them.
        compat: As in :class:`SetAbstraction`, for the sampling.
        fps_start: As in :class:`SetAbstraction`.
    """

    def __init__(self, channels: int, num_points: int, num_neighbors: int, compat: str | None = None,
                 fps_start: int | str = 0) -> None:
        super().__init__()
        if fps_start not in (0, 'random'):
            raise ValueError(f"fps_start is {fps_start!r}, must be 0 or 'random'")
        self.num_points = num_points
        self.num_neighbors = num_neighbors
        self.compat = compat
        self.fps_start = fps_start
        self.affine_alpha = nn.Parameter(torch.ones(1, 1, 1, channels))
        self.affine_beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, C) to centres (B, M, 3) and grouped features (B, M, k, 2C)."""
        num_points = coords.shape[1]
        start = self.fps_start if self.training else 0
        chosen = farthest_point_sample(coords, min(self.num_points, num_points), start=start, compat=self.compat)
        centres = group(coords, chosen)
        index = knn(centres, coords, min(self.num_neighbors, num_points))
        anchor = at_least_float32(group(features, chosen)).unsqueeze(2)
        offset = at_least_float32(group(features, index)) - anchor
        sigma = offset.flatten(1).std(dim=1).view(-1, 1, 1, 1)
        offset = self.affine_alpha * (offset / (sigma + 1e-5)) + self.affine_beta
        return centres, torch.cat([offset, anchor.expand_as(offset)], dim=-1)
