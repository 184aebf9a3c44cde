"""PointNeXt-S with grouped tensors and 1x1 convolutions."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Usual, conv2d


class Stem(nn.Module):
    """A 1x1 convolution of the points, without norm or activation."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(nn.Sequential(nn.Conv1d(in_channels, width, 1)))

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        return coords, self.convs(features)


class Reduction(nn.Module):
    """Set abstraction on half of the points; the centres' features are added before the last
    activation.
    """

    def __init__(self, in_channels: int, out_channels: int, radius: float, k: int) -> None:
        super().__init__()
        self.radius, self.k = radius, k
        hidden = out_channels // 2
        self.skipconv = nn.Sequential(nn.Conv1d(in_channels, out_channels, 1))
        self.convs = nn.Sequential(
            nn.Sequential(*conv2d(3 + in_channels, hidden, nn.ReLU())),
            nn.Sequential(*conv2d(hidden, out_channels, nn.Identity())),
        )

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        chosen = peers.farthest_point_sample(coords, coords.shape[1] // 2)
        centres = peers.index_points(coords, chosen)
        rows = features.transpose(1, 2)
        shortcut = self.skipconv(peers.index_points(rows, chosen).transpose(1, 2))
        index = peers.ball_query(centres, coords, self.radius, self.k)
        offset = (peers.index_points(coords, index) - centres[:, :, None]) / self.radius
        grouped = torch.cat([offset, peers.index_points(rows, index)], dim=-1).permute(
            0, 3, 1, 2
        )  # (B, C, S, k)
        return centres, F.relu(self.convs(grouped).max(dim=-1)[0] + shortcut)


class GroupAll(nn.Module):
    """MLP and maximum over all points, with their absolute coordinates."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Sequential(*conv2d(3 + channels, channels, nn.ReLU())),
            nn.Sequential(*conv2d(channels, channels, nn.ReLU())),
        )

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        whole = torch.cat([coords.transpose(1, 2), features], dim=1)[:, :, None]  # (B, C, 1, N)
        return coords, self.convs(whole).max(dim=-1)[0]


class PointNeXt(nn.Module):
    """PointNeXt-S: four halving stages with shortcuts, whose radius grows by a half from one to the
    next.
    """

    def __init__(
        self,
        num_classes: int = 40,
        in_channels: int = 3,
        width: int = 32,
        radius: float = 0.15,
        k: int = 32,
        stages: int = 4,
        hidden: Sequence[int] = (512, 256),
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = [Stem(in_channels, width)]
        for i in range(stages):
            blocks.append(Reduction(width, 2 * width, radius * 1.5**i, k))
            width *= 2
        blocks.append(GroupAll(width))
        self.encoder = nn.ModuleDict(
            dict(encoder=nn.ModuleList(nn.ModuleList([block]) for block in blocks))
        )
        layers: list[nn.Module] = []
        for channels in hidden:
            layers += [
                nn.Sequential(
                    nn.Linear(width, channels, bias=False), nn.BatchNorm1d(channels), nn.ReLU()
                ),
                nn.Dropout(0.5),
            ]
            width = channels
        self.prediction = nn.ModuleDict(
            dict(head=nn.Sequential(*layers, nn.Sequential(nn.Linear(width, num_classes))))
        )

    def forward(self, points: Tensor) -> Tensor:
        coords, features = points[..., :3].contiguous(), points.transpose(1, 2).contiguous()
        for (block,) in self.encoder['encoder']:
            coords, features = block(coords, features)
        return self.prediction['head'](features.squeeze(-1))


_TINY = (dict(width=4, k=8), dict(width=4, num_neighbors=8))
USUAL = {'pointnext_s': Usual(PointNeXt, {}, *_TINY, 'pointnext_s')}
OFFICIAL = {
    'pointnext_s': Usual(PointNeXt, dict(num_classes=15, in_channels=4), *_TINY, 'pointnext_s')
}
