"""Set abstraction of PointNet++ (Qi et al., NeurIPS 2017), single- and multi-scale."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pcdet_kd.layers.centres import CentreSampler
from pcdet_kd.layers.grouped_mlp import grouped_mlp
from pcdet_kd.layers.mlp import MLP
from pcdet_kd.layers.pooling import max_pool
from pcdet_kd.ops import ball_query
from pcdet_kd.utils.arguments import check_one_per


class SetAbstraction(CentreSampler):
    """Sample centres, and describe each by MLP and max over the points in balls around it.

    Every scale has its own radius, neighbour count and MLP; the outputs are concatenated. An MLP
    sees the neighbour's position relative to the centre, then its features.

    Args:
        num_points: Centres to sample; a smaller cloud keeps all its points.
        radii: Radius per scale, in the unit of the coordinates.
        num_neighbors: Neighbours per scale; a ball with fewer points repeats its first one.
        in_channels: Channels of the features, without the coordinates; 0 if there are none.
        mlp_channels: Widths of the MLP per scale.
        bias: Whether linear layers, all followed by BatchNorm, have a bias.
        compat: None, or ``'pointnet2'`` for the conventions of the pointnet2 CUDA extension
            (sampling skips points near the origin, balls are open).
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        fused: Whether to compute without the largest tensors, with the same results; see
            :func:`.grouped_mlp.grouped_mlp`.
    """

    def __init__(
        self,
        num_points: int,
        radii: Sequence[float],
        num_neighbors: Sequence[int],
        in_channels: int,
        mlp_channels: Sequence[Sequence[int]],
        bias: bool = False,
        compat: str | None = None,
        fps_start: int | str = 0,
        fused: bool = True,
    ) -> None:
        super().__init__(compat, fps_start)
        check_one_per(
            'SetAbstraction',
            'scale',
            radii=radii,
            num_neighbors=num_neighbors,
            mlp_channels=mlp_channels,
        )
        self.num_points = num_points
        self.radii = tuple(radii)
        self.num_neighbors = tuple(num_neighbors)
        self.fused = fused
        self.mlps = nn.ModuleList(
            MLP([3 + in_channels, *widths], bias=bias) for widths in mlp_channels
        )
        self.out_channels = sum(mlp.out_channels for mlp in self.mlps)

    def forward(self, coords: Tensor, features: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map coordinates (B, N, 3) and features (B, N, C) to the centres' (B, M, 3) and (B, M,
        out_channels).

        M is ``min(num_points, N)``.
        """
        centres, _ = self.sample_centres(coords, self.num_points)
        pooled = []
        for radius, k, mlp in zip(self.radii, self.num_neighbors, self.mlps):
            index = ball_query(centres, coords, radius, k, compat=self.compat)
            pooled.append(grouped_mlp(mlp, coords, centres, features, index, self.fused))
        return centres, pooled[0] if len(pooled) == 1 else torch.cat(pooled, dim=-1)


class GlobalSetAbstraction(nn.Module):
    """The last, group-all stage: MLP on absolute positions and features of all points, then max.

    Args:
        in_channels: Channels of the features, without the coordinates.
        mlp_channels: Widths of the MLP.
        bias: Whether linear layers, all followed by BatchNorm, have a bias.
    """

    def __init__(self, in_channels: int, mlp_channels: Sequence[int], bias: bool = False) -> None:
        super().__init__()
        self.mlp = MLP([3 + in_channels, *mlp_channels], bias=bias)
        self.out_channels = self.mlp.out_channels

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, C) to the global feature (B, out_channels) and the points' (B,
        N, out_channels).
        """
        x = self.mlp(torch.cat([coords, features], dim=-1))
        return max_pool(x, dim=1), x
