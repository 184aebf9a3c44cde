"""PointMLP with its 1-D convolutions over (B * S, C, k), with the keys of its published weights."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Head, Usual, conv1d


class Conv(nn.Module):
    """1-D convolution, BatchNorm and activation."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.net = conv1d(in_channels, out_channels, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Residual(nn.Module):
    """PointMLP's residual block on (B, C, N)."""

    def __init__(self, channels: int, ratio: float) -> None:
        super().__init__()
        hidden = int(channels * ratio)
        self.net1, self.net2 = conv1d(channels, hidden, nn.ReLU()), conv1d(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.net2(self.net1(x)) + x)


class Grouper(nn.Module):
    """PointMLP's grouping with its geometric affine module."""

    def __init__(self, channels: int, num_points: int, k: int, skip: float | None) -> None:
        super().__init__()
        self.num_points, self.k, self.skip = num_points, k, skip
        self.affine_alpha = nn.Parameter(torch.ones(1, 1, 1, channels))
        self.affine_beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        chosen = peers.farthest_point_sample(coords, self.num_points, skip=self.skip)
        centres, anchor = peers.index_points(coords, chosen), peers.index_points(features, chosen)
        index = peers.square_distance(centres, coords).topk(
            self.k, dim=-1, largest=False, sorted=False
        )[1]
        offset = peers.index_points(features, index) - anchor[:, :, None]
        std = offset.reshape(len(offset), -1).std(dim=-1, keepdim=True)[..., None, None]
        offset = self.affine_alpha * (offset / (std + 1e-5)) + self.affine_beta
        return centres, torch.cat([offset, anchor[:, :, None].repeat(1, 1, self.k, 1)], dim=-1)


class Pre(nn.Module):
    """A convolution, residual blocks over the neighbours and their maximum: (B, S, k, C) -> (B, C',
    S).
    """

    def __init__(self, in_channels: int, channels: int, blocks: int, ratio: float) -> None:
        super().__init__()
        self.transfer = Conv(in_channels, channels)
        self.operation = nn.Sequential(*(Residual(channels, ratio) for _ in range(blocks)))

    def forward(self, grouped: Tensor) -> Tensor:
        batch, count, k, channels = grouped.shape
        x = self.operation(self.transfer(grouped.permute(0, 1, 3, 2).reshape(-1, channels, k)))
        return F.adaptive_max_pool1d(x, 1).view(batch, count, -1).permute(0, 2, 1)


class Pos(nn.Module):
    """Residual blocks over the centres."""

    def __init__(self, channels: int, blocks: int, ratio: float) -> None:
        super().__init__()
        self.operation = nn.Sequential(*(Residual(channels, ratio) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.operation(x)


class PointMLP(nn.Module):
    """PointMLP. ``skip`` as in :func:`peers.farthest_point_sample`: the published code samples with
    the CUDA extension.
    """

    def __init__(
        self,
        num_classes: int = 40,
        embed_channels: int = 64,
        channels: Sequence[int] = (128, 256, 512, 1024),
        num_points: Sequence[int] = (512, 256, 128, 64),
        num_neighbors: int = 24,
        pre_blocks: Sequence[int] = (2, 2, 2, 2),
        pos_blocks: Sequence[int] = (2, 2, 2, 2),
        ratio: float = 1.0,
        skip: float | None = None,
    ) -> None:
        super().__init__()
        self.embedding = Conv(3, embed_channels)
        widths = (embed_channels, *channels)
        self.local_grouper_list = nn.ModuleList(
            Grouper(width, count, num_neighbors, skip) for width, count in zip(widths, num_points)
        )
        self.pre_blocks_list = nn.ModuleList(
            Pre(2 * width, channel, blocks, ratio)
            for width, channel, blocks in zip(widths, channels, pre_blocks)
        )
        self.pos_blocks_list = nn.ModuleList(
            Pos(channel, blocks, ratio) for channel, blocks in zip(channels, pos_blocks)
        )
        self.classifier = Head(channels[-1], num_classes).layers

    def forward(self, points: Tensor) -> Tensor:
        coords, x = points, self.embedding(points.permute(0, 2, 1))
        for grouper, pre, pos in zip(
            self.local_grouper_list, self.pre_blocks_list, self.pos_blocks_list
        ):
            coords, grouped = grouper(coords, x.permute(0, 2, 1))
            x = pos(pre(grouped))
        return self.classifier(F.adaptive_max_pool1d(x, 1).squeeze(-1))


_ELITE = dict(
    embed_channels=32,
    channels=(64, 128, 256, 256),
    pre_blocks=(1, 1, 2, 1),
    pos_blocks=(1, 1, 2, 1),
    ratio=0.25,
)
_OFFICIAL = dict(num_classes=15, skip=1e-3)
_SMALL = dict(embed_channels=8, channels=(8, 16), num_points=(32, 16), num_neighbors=4)
_TINY, _TINY_ELITE = (
    dict(_SMALL, pre_blocks=(2, 2), pos_blocks=(1, 2)),
    dict(_SMALL, pre_blocks=(1, 2), pos_blocks=(2, 1)),
)
USUAL = {
    'pointmlp': Usual(PointMLP, {}, _TINY, _TINY, 'pointmlp'),
    'pointmlp_elite': Usual(PointMLP, _ELITE, _TINY_ELITE, _TINY_ELITE, 'pointmlp_elite'),
}
OFFICIAL = {
    'pointmlp': Usual(PointMLP, _OFFICIAL, _TINY, _TINY, 'pointmlp'),
    'pointmlp_elite': Usual(
        PointMLP, dict(_ELITE, **_OFFICIAL), _TINY_ELITE, _TINY_ELITE, 'pointmlp_elite'
    ),
}
