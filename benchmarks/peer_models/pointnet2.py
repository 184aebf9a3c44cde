"""PointNet++ as in its PyTorch ports: yanx27's in plain PyTorch, and that over the pointnet2 CUDA
extension (PointCMT).
"""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Usual

SSG = dict(
    num_points=(512, 128),
    radii=(0.2, 0.4),
    num_neighbors=(32, 64),
    mlp_channels=((64, 64, 128), (128, 128, 256)),
)
MSG = dict(
    num_points=(512, 128),
    radii=((0.1, 0.2, 0.4), (0.2, 0.4, 0.8)),
    num_neighbors=((16, 32, 128), (32, 64, 128)),
    mlp_channels=(
        ((32, 32, 64), (64, 64, 128), (64, 96, 128)),
        ((64, 64, 128), (128, 128, 256), (128, 128, 256)),
    ),
)


def layers(
    in_channels: int, channels: Sequence[int], bias: bool
) -> tuple[nn.ModuleList, nn.ModuleList]:
    """1x1 convolutions over (B, C, k, S) and their BatchNorms."""
    widths = (in_channels, *channels)
    return (
        nn.ModuleList(nn.Conv2d(a, b, 1, bias=bias) for a, b in zip(widths, channels)),
        nn.ModuleList(nn.BatchNorm2d(b) for b in channels),
    )


def strongest(grouped: Tensor, convs: nn.ModuleList, bns: nn.ModuleList) -> Tensor:
    """Layers on (B, S, k, C), then the maximum over k: (B, C', S)."""
    x = grouped.permute(0, 3, 2, 1)
    for conv, bn in zip(convs, bns):
        x = F.relu(bn(conv(x)))
    return torch.max(x, 2)[0]


class SetAbstraction(nn.Module):
    """One scale; without ``count``, all points in one group, around the origin. Features are (B, N,
    C).
    """

    def __init__(
        self,
        count: int | None,
        radius: float,
        k: int,
        in_channels: int,
        channels: Sequence[int],
        bias: bool,
    ) -> None:
        super().__init__()
        self.count, self.radius, self.k = count, radius, k
        self.mlp_convs, self.mlp_bns = layers(in_channels + 3, channels, bias)

    def forward(self, coords: Tensor, features: Tensor | None) -> tuple[Tensor, Tensor]:
        if self.count is None:
            centres = torch.zeros(len(coords), 1, 3, dtype=coords.dtype, device=coords.device)
            grouped = torch.cat([coords[:, None], features[:, None]], dim=-1)
        else:
            centres = peers.index_points(coords, peers.farthest_point_sample(coords, self.count))
            index = peers.ball_query(centres, coords, self.radius, self.k)
            grouped = peers.index_points(coords, index) - centres[:, :, None]
            if features is not None:
                grouped = torch.cat([grouped, peers.index_points(features, index)], dim=-1)
        return centres, strongest(grouped, self.mlp_convs, self.mlp_bns).transpose(1, 2)


class MultiScale(nn.Module):
    """Several scales around the same centres; here features come before coordinates."""

    def __init__(
        self,
        count: int,
        radii: Sequence[float],
        ks: Sequence[int],
        in_channels: int,
        channels: Sequence[Sequence[int]],
        bias: bool,
    ) -> None:
        super().__init__()
        self.count, self.scales = count, tuple(zip(radii, ks))
        pairs = [layers(in_channels + 3, widths, bias) for widths in channels]
        self.conv_blocks, self.bn_blocks = (nn.ModuleList(part) for part in zip(*pairs))

    def forward(self, coords: Tensor, features: Tensor | None) -> tuple[Tensor, Tensor]:
        centres = peers.index_points(coords, peers.farthest_point_sample(coords, self.count))
        outputs = []
        for (radius, k), convs, bns in zip(self.scales, self.conv_blocks, self.bn_blocks):
            index = peers.ball_query(centres, coords, radius, k)
            grouped = peers.index_points(coords, index) - centres[:, :, None]
            if features is not None:
                grouped = torch.cat([peers.index_points(features, index), grouped], dim=-1)
            outputs.append(strongest(grouped, convs, bns))
        return centres, torch.cat(outputs, dim=1).transpose(1, 2)


class PointNet2(nn.Module):
    """PointNet++ in plain PyTorch; several scales where a stage has several radii."""

    def __init__(
        self,
        num_points: Sequence[int],
        radii: Sequence,
        num_neighbors: Sequence,
        mlp_channels: Sequence,
        global_channels: Sequence[int] = (256, 512, 1024),
        num_classes: int = 40,
        bias: bool = False,
        dropout: Sequence[float] = (0.5, 0.5),
    ) -> None:
        super().__init__()
        width = 0
        for i, (count, radius, k, channels) in enumerate(
            zip(num_points, radii, num_neighbors, mlp_channels), 1
        ):
            several = isinstance(radius, Sequence)
            setattr(
                self,
                f'sa{i}',
                (MultiScale if several else SetAbstraction)(
                    count, radius, k, width, channels, bias
                ),
            )
            width = sum(c[-1] for c in channels) if several else channels[-1]
        self.sa3 = SetAbstraction(None, 0.0, 0, width, global_channels, bias)
        self.fc1 = nn.Linear(global_channels[-1], 512, bias=bias)
        self.bn1, self.drop1 = nn.BatchNorm1d(512), nn.Dropout(dropout[0])
        self.fc2 = nn.Linear(512, 256, bias=bias)
        self.bn2, self.drop2 = nn.BatchNorm1d(256), nn.Dropout(dropout[1])
        self.fc3 = nn.Linear(256, num_classes)

    def forward(self, points: Tensor) -> Tensor:
        coords, features = self.sa1(points, None)
        coords, features = self.sa2(coords, features)
        x = self.sa3(coords, features)[1].reshape(len(points), -1)
        x = self.drop1(F.relu(self.bn1(self.fc1(x))))
        x = self.drop2(F.relu(self.bn2(self.fc2(x))))
        return self.fc3(x)


class Norm(nn.Module):
    """A BatchNorm one level down, as the extension's layers hold theirs."""

    def __init__(self, bn: nn.Module) -> None:
        super().__init__()
        self.bn = bn

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(x)


def shared_mlp(in_channels: int, channels: Sequence[int]) -> nn.Sequential:
    """Layers ``layer0``, ``layer1`` … of ``conv``, ``normlayer.bn`` and activation."""
    mlp, widths = nn.Sequential(), (in_channels, *channels)
    for i, (a, b) in enumerate(zip(widths, channels)):
        layer = nn.Sequential()
        layer.add_module('conv', nn.Conv2d(a, b, 1, bias=False))
        layer.add_module('normlayer', Norm(nn.BatchNorm2d(b)))
        layer.add_module('activation', nn.ReLU())
        mlp.add_module(f'layer{i}', layer)
    return mlp


class ExtensionStage(nn.Module):
    """Scales around the same centres, or all points in one group, over the extension's sampling and
    balls. (B, C, N).
    """

    def __init__(
        self,
        count: int | None,
        scales: Sequence[tuple[float, int]],
        in_channels: int,
        channels: Sequence[Sequence[int]],
    ) -> None:
        super().__init__()
        self.count, self.scales = count, tuple(scales)
        self.mlps = nn.ModuleList(shared_mlp(in_channels + 3, widths) for widths in channels)

    def forward(self, coords: Tensor, features: Tensor | None) -> tuple[Tensor | None, Tensor]:
        if self.count is None:
            grouped = torch.cat([coords.transpose(1, 2), features], dim=1)[:, :, None]
            return None, F.max_pool2d(self.mlps[0](grouped), (1, grouped.shape[3]))[..., 0]
        centres = peers.index_points(
            coords, peers.farthest_point_sample(coords, self.count, skip=1e-3)
        )
        outputs = []
        for (radius, k), mlp in zip(self.scales, self.mlps):
            index = peers.ball_query(centres, coords, radius, k, strict=True)
            grouped = (peers.index_points(coords, index) - centres[:, :, None]).permute(0, 3, 1, 2)
            if features is not None:
                near = peers.index_points(features.transpose(1, 2), index).permute(0, 3, 1, 2)
                grouped = torch.cat([grouped, near], dim=1)
            outputs.append(F.max_pool2d(mlp(grouped), (1, k)).squeeze(-1))
        return centres, torch.cat(outputs, dim=1)


class ExtensionNet(nn.Module):
    """The multi-scale network over the extension, with PointCMT's head."""

    def __init__(
        self,
        num_points: Sequence[int],
        radii: Sequence,
        num_neighbors: Sequence,
        mlp_channels: Sequence,
        global_channels: Sequence[int] = (256, 512, 1024),
        num_classes: int = 40,
    ) -> None:
        super().__init__()
        self.SA_modules, width = nn.ModuleList(), 0
        for count, radius, ks, channels in zip(num_points, radii, num_neighbors, mlp_channels):
            self.SA_modules.append(ExtensionStage(count, zip(radius, ks), width, channels))
            width = sum(c[-1] for c in channels)
        self.SA_modules.append(ExtensionStage(None, (), width, (global_channels,)))
        first = nn.Sequential()
        first.add_module('fc', nn.Linear(global_channels[-1], 512, bias=False))
        first.add_module('normlayer', Norm(nn.BatchNorm1d(512)))
        first.add_module('activation', nn.ReLU())
        self.fc_layer1, self.fc_layer2 = (
            nn.Sequential(first),
            nn.Sequential(nn.Linear(512, num_classes)),
        )

    def forward(self, points: Tensor) -> Tensor:
        coords, features = points, None
        for stage in self.SA_modules:
            coords, features = stage(coords, features)
        return self.fc_layer2(self.fc_layer1(features.squeeze(-1)))


class PointCMT(nn.Module):
    """PointCMT's student, whose network is called ``model``."""

    def __init__(self, **settings: Sequence) -> None:
        super().__init__()
        self.model = ExtensionNet(**settings)

    def forward(self, points: Tensor) -> Tensor:
        return self.model(points)


_SSG = dict(
    num_points=(16, 8),
    num_neighbors=(8, 8),
    mlp_channels=((8, 8, 8), (8, 8, 16)),
    global_channels=(16, 16, 32),
)
_MSG = dict(
    num_points=(16, 8),
    num_neighbors=((4, 8, 8), (4, 4, 8)),
    global_channels=(16, 16, 32),
    mlp_channels=(((8, 8, 8), (8, 8, 12), (8, 8, 16)), ((8, 8, 8), (8, 8, 12), (8, 8, 16))),
)
USUAL = {
    'pointnet2': Usual(PointNet2, SSG, _SSG, _SSG, arch='pointnet2_ssg_yanx27'),
    'pointnet2_msg': Usual(PointNet2, MSG, _MSG, _MSG, arch='pointnet2_msg_yanx27'),
}
OFFICIAL = {
    'pointnet2_ssg_yanx27': Usual(
        PointNet2, dict(SSG, bias=True, dropout=(0.4, 0.4)), _SSG, _SSG, 'pointnet2_ssg_yanx27'
    ),
    'pointnet2_msg_yanx27': Usual(
        PointNet2, dict(MSG, bias=True, dropout=(0.4, 0.5)), _MSG, _MSG, 'pointnet2_msg_yanx27'
    ),
    'pointcmt_pointnet2_msg': Usual(PointCMT, MSG, _MSG, _MSG, 'pointcmt_pointnet2_msg'),
}
