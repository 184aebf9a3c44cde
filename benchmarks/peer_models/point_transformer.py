"""Point Transformer with the tensors of all its neighbours, points of all clouds one after the
other.
"""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Head, Usual


class Norm(nn.BatchNorm1d):
    """BatchNorm of (M, C) or (M, k, C)."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 2:
            return super().forward(x)
        return super().forward(x.transpose(1, 2).contiguous()).transpose(1, 2).contiguous()


def neighbors(query: Tensor, coords: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Of each of B * S centres its k nearest points: their rows among B * N, and where they are
    relative to it (B * S, k, 3).

    All points where there are fewer than k: the public kernels differ in what they fill up with.
    """
    index = peers.square_distance(query, coords).topk(
        min(k, coords.shape[1]), dim=-1, largest=False
    )[1]
    first = torch.arange(len(coords), device=coords.device).view(-1, 1, 1) * coords.shape[1]
    relative = peers.index_points(coords, index) - query[:, :, None]
    return (index + first).flatten(0, 1), relative.flatten(0, 1)


class Attention(nn.Module):
    """Vector attention; weights for every ``share`` channels repeat over the others."""

    def __init__(self, channels: int, share: int, k: int) -> None:
        super().__init__()
        self.k, self.share, width = k, share, channels // share
        self.linear_q, self.linear_k, self.linear_v = (
            nn.Linear(channels, channels) for _ in range(3)
        )
        self.linear_p = nn.Sequential(
            nn.Linear(3, 3), Norm(3), nn.ReLU(inplace=True), nn.Linear(3, channels)
        )
        self.linear_w = nn.Sequential(
            Norm(channels),
            nn.ReLU(inplace=True),
            nn.Linear(channels, width),
            Norm(width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
        )

    def forward(self, coords: Tensor, x: Tensor) -> Tensor:
        q, k, v = self.linear_q(x), self.linear_k(x), self.linear_v(x)
        index, relative = neighbors(coords, coords, self.k)
        place = self.linear_p(relative)
        weight = self.linear_w(k[index] - q[:, None] + place).softmax(
            dim=1
        )  # (B * N, k, C / share)
        value = (v[index] + place).view(*index.shape, self.share, -1)
        return (value * weight[:, :, None]).sum(1).flatten(1)


class Block(nn.Module):
    """Linear, attention, linear, in a residual."""

    def __init__(self, channels: int, share: int, k: int) -> None:
        super().__init__()
        self.linear1, self.bn1 = nn.Linear(channels, channels, bias=False), Norm(channels)
        self.attention, self.bn2 = Attention(channels, share, k), Norm(channels)
        self.linear3, self.bn3 = nn.Linear(channels, channels, bias=False), Norm(channels)

    def forward(self, coords: Tensor, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.linear1(x)))
        y = F.relu(self.bn2(self.attention(coords, y)))
        return F.relu(self.bn3(self.linear3(y)) + x)


class TransitionDown(nn.Module):
    """Farthest points; linear and maximum over their neighbours. With stride 1 linear only."""

    def __init__(self, in_channels: int, channels: int, stride: int, k: int) -> None:
        super().__init__()
        self.stride, self.k = stride, k
        self.linear = nn.Linear(in_channels + (3 if stride > 1 else 0), channels, bias=False)
        self.bn = Norm(channels)

    def forward(self, coords: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.stride == 1:
            return coords, F.relu(self.bn(self.linear(x)))
        centres = peers.index_points(
            coords, peers.farthest_point_sample(coords, coords.shape[1] // self.stride)
        )
        index, relative = neighbors(centres, coords, self.k)
        x = F.relu(self.bn(self.linear(torch.cat([relative, x[index]], dim=-1))))
        return centres, x.max(1)[0]


class PointTransformer(nn.Module):
    """Point Transformer for classification."""

    def __init__(
        self,
        num_classes: int = 40,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        blocks: Sequence[int] = (1, 2, 2, 2, 2),
        strides: Sequence[int] = (1, 4, 4, 4, 4),
        num_neighbors: Sequence[int] = (8, 16, 16, 16, 16),
        share: int = 8,
    ) -> None:
        super().__init__()
        widths = (3, *channels)
        self.downs = nn.ModuleList(map(TransitionDown, widths, channels, strides, num_neighbors))
        self.stages = nn.ModuleList(
            nn.ModuleList(Block(channel, share, k) for _ in range(count))
            for channel, count, k in zip(channels, blocks, num_neighbors)
        )
        self.head = Head(channels[-1], num_classes, hidden=(256, 128))

    def forward(self, points: Tensor) -> Tensor:
        coords, x = points, points.flatten(0, 1)
        for down, stage in zip(self.downs, self.stages):
            coords, x = down(coords, x)
            for block in stage:
                x = block(coords, x)
        return self.head(x.view(len(points), -1, x.shape[-1]).mean(1))


_TINY = dict(
    channels=(8, 16, 16), blocks=(1, 2, 1), strides=(1, 4, 4), num_neighbors=(4, 5, 8), share=4
)
USUAL = {'point_transformer': Usual(PointTransformer, {}, _TINY, _TINY)}
