"""PointNet++, DGCNN and PointMLP as usually implemented: channel-first 1x1 convolutions over the plain ops of ``peers.py``.

Architecture and parameters are exactly those of :mod:`pcdet_kd.backbones` with an ``MLPHead``, in the same order, so that
weights can be copied (:func:`copy_weights`) and losses compared. Each returns logits (B, K) of clouds (B, N, 3).
"""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv2d(in_channels: int, out_channels: int, act: nn.Module) -> list[nn.Module]:
    """A 1x1 convolution over (B, C, S, k) with BatchNorm and activation."""
    return [nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels), act]


def conv1d(in_channels: int, out_channels: int, *act: nn.Module) -> nn.Sequential:
    """A 1x1 convolution over (B, C, N) with BatchNorm and, if given, an activation."""
    return nn.Sequential(nn.Conv1d(in_channels, out_channels, 1, bias=False), nn.BatchNorm1d(out_channels), *act)


class Head(nn.Module):
    """Linear, BatchNorm, activation and dropout, twice, and a linear layer."""

    def __init__(self, in_channels: int, num_classes: int, hidden: Sequence[int] = (512, 256),
                 bias: Sequence[bool] = (True, True), leaky: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, with_bias in zip(hidden, bias):
            act = nn.LeakyReLU(0.2) if leaky else nn.ReLU()
            layers += [nn.Linear(in_channels, width, bias=with_bias), nn.BatchNorm1d(width), act, nn.Dropout(0.5)]
            in_channels = width
        self.layers = nn.Sequential(*layers, nn.Linear(in_channels, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


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
        self.head = Head(width, num_classes)

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


class DGCNN(nn.Module):
    """DGCNN with its tensors of all edges."""

    def __init__(self, num_classes: int = 40, channels: Sequence[int] = (64, 64, 128, 256), embed_channels: int = 1024,
                 num_neighbors: int = 20) -> None:
        super().__init__()
        self.k = num_neighbors
        widths = (3, *channels)
        self.convs = nn.ModuleList(nn.Sequential(*conv2d(2 * a, b, nn.LeakyReLU(0.2))) for a, b in zip(widths, channels))
        self.embedding = conv1d(sum(channels), embed_channels, nn.LeakyReLU(0.2))
        self.head = Head(2 * embed_channels, num_classes, bias=(False, True), leaky=True)

    def forward(self, points: Tensor) -> Tensor:
        x, outputs = points, []
        for conv in self.convs:
            edges = peers.edge_features(x, peers.knn_dgcnn(x, self.k))
            out = conv(edges).max(dim=-1)[0]
            outputs.append(out)
            x = out.transpose(1, 2).contiguous()
        x = self.embedding(torch.cat(outputs, dim=1))
        return self.head(torch.cat([F.adaptive_max_pool1d(x, 1).squeeze(-1), F.adaptive_avg_pool1d(x, 1).squeeze(-1)], dim=1))


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


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy all parameters in order, convolutions and linear layers alike.

    Raises:
        ValueError: The architectures differ.
    """
    ours, theirs = list(source.parameters()), list(target.parameters())
    if [p.numel() for p in ours] != [p.numel() for p in theirs]:
        raise ValueError(f'{type(source).__name__} and {type(target).__name__} have other parameters')
    with torch.no_grad():
        for a, b in zip(ours, theirs):
            b.copy_(a.view_as(b))
