"""PointMLP with its 1-D convolutions over (B * S, C, k)."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Head, Usual, conv1d


class Residual(nn.Module):
    """PointMLP's residual block on (B, C, N)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net1, self.net2 = conv1d(channels, channels, nn.ReLU()), conv1d(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.net2(self.net1(x)) + x)


class Grouper(nn.Module):
    """PointMLP's grouping with its geometric affine module."""

    def __init__(self, channels: int, num_points: int, k: int) -> None:
        super().__init__()
        self.num_points, self.k = num_points, k
        self.alpha = nn.Parameter(torch.ones(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        chosen = peers.farthest_point_sample(coords, self.num_points)
        centres, anchor = peers.index_points(coords, chosen), peers.index_points(features, chosen)
        index = peers.square_distance(centres, coords).topk(self.k, dim=-1, largest=False, sorted=False)[1]
        offset = peers.index_points(features, index) - anchor[:, :, None]
        std = offset.reshape(len(offset), -1).std(dim=-1, keepdim=True)[..., None, None]
        offset = self.alpha * (offset / (std + 1e-5)) + self.beta
        return centres, torch.cat([offset, anchor[:, :, None].repeat(1, 1, self.k, 1)], dim=-1)


class PointMLP(nn.Module):
    """PointMLP with its 1-D convolutions over (B * S, C, k)."""

    def __init__(self, num_classes: int = 40, embed_channels: int = 64, channels: Sequence[int] = (128, 256, 512, 1024),
                 num_points: Sequence[int] = (512, 256, 128, 64), num_neighbors: int = 24, blocks: int = 2) -> None:
        super().__init__()
        self.embedding = conv1d(3, embed_channels, nn.ReLU())
        stages, width = [], embed_channels
        for channel, count in zip(channels, num_points):
            stages.append(nn.ModuleDict(dict(
                grouper=Grouper(width, count, num_neighbors), transfer=conv1d(2 * width, channel, nn.ReLU()),
                pre=nn.Sequential(*(Residual(channel) for _ in range(blocks))),
                pos=nn.Sequential(*(Residual(channel) for _ in range(blocks))))))
            width = channel
        self.stages = nn.ModuleList(stages)
        self.head = Head(width, num_classes)

    def forward(self, points: Tensor) -> Tensor:
        coords, features = points, self.embedding(points.permute(0, 2, 1))
        for stage in self.stages:
            coords, grouped = stage['grouper'](coords, features.permute(0, 2, 1))
            batch, count, k, channels = grouped.shape
            x = stage['pre'](stage['transfer'](grouped.permute(0, 1, 3, 2).reshape(-1, channels, k)))
            x = F.adaptive_max_pool1d(x, 1).view(batch, count, -1)
            features = stage['pos'](x.permute(0, 2, 1))
        return self.head(F.adaptive_max_pool1d(features, 1).squeeze(-1))


_TINY = dict(embed_channels=8, channels=(8, 16), num_points=(32, 16), num_neighbors=4)
USUAL = {'pointmlp': Usual(PointMLP, {}, _TINY, dict(_TINY, pre_blocks=(2, 2), pos_blocks=(2, 2)))}
