"""PointNet++ as in its PyTorch ports."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn

from .parts import Head, Usual, conv2d


class PointNet2(nn.Module):
    """PointNet++ with single-scale grouping, as in its PyTorch ports."""

    def __init__(self, num_classes: int = 40, num_points: Sequence[int] = (512, 128), radii: Sequence[float] = (0.2, 0.4),
                 num_neighbors: Sequence[int] = (32, 64),
                 mlp_channels: Sequence[Sequence[int]] = ((64, 64, 128), (128, 128, 256)),
                 global_channels: Sequence[int] = (256, 512, 1024)) -> None:
        super().__init__()
        self.settings = tuple(zip(num_points, radii, num_neighbors))
        width, mlps = 0, []
        for channels in (*mlp_channels, global_channels):
            layers, width = [], width + 3
            for channel in channels:
                layers += conv2d(width, channel, nn.ReLU())
                width = channel
            mlps.append(nn.Sequential(*layers))
        self.mlps = nn.ModuleList(mlps)
        self.head = Head(width, num_classes, bias=(False, False))

    def forward(self, points: Tensor) -> Tensor:
        coords, features = points, None
        for (count, radius, k), mlp in zip(self.settings, self.mlps):
            centres = peers.index_points(coords, peers.farthest_point_sample(coords, count))
            index = peers.ball_query(centres, coords, radius, k)
            grouped = peers.index_points(coords, index) - centres[:, :, None]
            if features is not None:
                grouped = torch.cat([grouped, peers.index_points(features, index)], dim=-1)
            features = mlp(grouped.permute(0, 3, 2, 1)).max(2)[0].transpose(1, 2)  # (B, C, k, S), max over k
            coords = centres
        whole = torch.cat([coords, features], dim=-1)[:, None].permute(0, 3, 2, 1)
        return self.head(self.mlps[-1](whole).max(2)[0][..., 0])


USUAL = {
    'pointnet2': Usual(PointNet2, {}, dict(num_points=(16, 8), num_neighbors=(8, 8), mlp_channels=((8, 8), (8, 16)),
                                           global_channels=(16, 32)),
                       dict(num_points=(16, 8), num_neighbors=(8, 8), mlp_channels=((8, 8), (8, 16)), global_channels=(16, 32))),
}
