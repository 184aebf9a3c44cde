"""RS-CNN with single-scale neighbourhoods, under the names of its authors' code."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Usual


def ball_query_around(
    query: Tensor, first: Tensor, points: Tensor, radius: float, k: int
) -> Tensor:
    """The centre itself, then k others in the open ball, in the order of storage, filled up with
    the centre: (B, S, k + 1).

    Args:
        query: Centres, (B, S, 3).
        first: Their indices, (B, S).
        points: (B, N, 3).
        radius: Of the ball.
        k: Neighbours.
    """
    n = points.shape[1]
    index = torch.arange(n, device=points.device).repeat(*first.shape, 1)
    index[peers.square_distance(query, points) >= radius**2] = n
    index[(query[:, :, None] == points[:, None]).all(dim=-1)] = n  # the centre and its copies
    index = index.sort(dim=-1)[0][:, :, :k]
    first = first[:, :, None]
    return torch.cat([first, torch.where(index == n, first, index)], dim=-1)


class RSConv(nn.Module):
    """Relation-shape convolution of grouped input: 6 coordinates, then features, (B, 6 + C, S, k +
    1) -> (B, C', S).
    """

    def __init__(self, in_channels: int, out_channels: int, first: bool) -> None:
        super().__init__()
        width, hidden = (16, out_channels // 2) if first else (in_channels + 3, out_channels // 4)
        self.first = first
        self.bn_rsconv = nn.BatchNorm2d(width)
        self.bn_channel_raising = nn.BatchNorm1d(out_channels)
        self.bn_xyz_raising = nn.BatchNorm2d(16)  # later stages have it and don't use it
        self.bn_mapping = nn.BatchNorm2d(hidden)
        self.mapping_func1, self.mapping_func2 = (
            nn.Conv2d(10, hidden, 1),
            nn.Conv2d(hidden, width, 1),
        )
        self.cr_mapping = nn.Conv1d(width, out_channels, 1)
        if first:
            self.xyz_raising = nn.Conv2d(3, 16, 1)

    def forward(self, grouped: Tensor) -> Tensor:
        absolute, offset, x = grouped[:, :3], grouped[:, 3:6], grouped[:, 3:]
        centre = absolute[..., :1].repeat(1, 1, 1, grouped.shape[3])
        relation = torch.cat(
            [torch.norm(offset, p=2, dim=1, keepdim=True), centre, absolute, offset], dim=1
        )
        weight = self.mapping_func2(F.relu(self.bn_mapping(self.mapping_func1(relation))))
        if self.first:
            x = F.relu(self.bn_xyz_raising(self.xyz_raising(x)))
        x = F.max_pool2d(F.relu(self.bn_rsconv(weight * x)), (1, x.shape[3])).squeeze(3)
        return F.relu(self.bn_channel_raising(self.cr_mapping(x)))


class Stage(nn.Module):
    """Sampling, balls and a relation-shape convolution. Features are (B, C, N)."""

    def __init__(
        self, count: int, radius: float, k: int, in_channels: int, out_channels: int, first: bool
    ) -> None:
        super().__init__()
        self.count, self.radius, self.k = count, radius, k
        layer, mlp = nn.Sequential(), nn.Sequential()
        layer.add_module('RS_Conv', RSConv(in_channels, out_channels, first))
        mlp.add_module('RSConvLayer0', layer)
        self.mlps = nn.ModuleList([mlp])

    def forward(self, coords: Tensor, features: Tensor | None) -> tuple[Tensor, Tensor]:
        chosen = peers.farthest_point_sample(coords, self.count, skip=1e-3)
        centres = peers.index_points(coords, chosen)
        index = ball_query_around(centres, chosen, coords, self.radius, self.k)
        absolute = peers.index_points(coords, index).permute(0, 3, 1, 2).contiguous()
        offset = absolute  # one tensor, as published: what should be absolute is relative too
        offset -= centres.transpose(1, 2)[..., None]
        grouped = [absolute, offset]
        if features is not None:
            grouped.append(peers.index_points(features.transpose(1, 2), index).permute(0, 3, 1, 2))
        return centres, self.mlps[0](torch.cat(grouped, dim=1))


class GlobalConv(nn.Module):
    """One layer on (B, C, 1, N), and the maximum."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_avg, self.bn_avg = (
            nn.Conv2d(in_channels, out_channels, 1),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(self.bn_avg(self.conv_avg(x))), (1, x.shape[3])).squeeze(3)


class GroupAll(nn.Module):
    """All points in one group, with their coordinates as they are."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.mlps = nn.ModuleList([GlobalConv(in_channels + 3, out_channels)])

    def forward(self, coords: Tensor, features: Tensor) -> tuple[None, Tensor]:
        return None, self.mlps[0](torch.cat([coords.transpose(1, 2), features], dim=1)[:, :, None])


class FC(nn.Module):
    """A linear layer, with BatchNorm and activation unless it is the last."""

    def __init__(self, in_channels: int, out_channels: int, last: bool = False) -> None:
        super().__init__()
        self.fc = nn.Linear(in_channels, out_channels, bias=last)
        self.bn = None
        if not last:
            self.bn = nn.Sequential()
            self.bn.add_module('bn', nn.BatchNorm1d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(x)
        return x if self.bn is None else F.relu(self.bn(x))


class RSCNN(nn.Module):
    """RS-CNN with single-scale neighbourhoods."""

    def __init__(
        self,
        num_classes: int = 40,
        channels: Sequence[int] = (128, 512),
        num_points: Sequence[int] = (512, 128),
        radii: Sequence[float] = (0.23, 0.32),
        num_neighbors: Sequence[int] = (48, 64),
        global_channels: int = 1024,
    ) -> None:
        super().__init__()
        self.SA_modules, width = nn.ModuleList(), 0
        for count, radius, k, channel in zip(num_points, radii, num_neighbors, channels):
            self.SA_modules.append(Stage(count, radius, k, width, channel, first=not width))
            width = channel
        self.SA_modules.append(GroupAll(width, global_channels))
        self.FC_layer = nn.Sequential(
            FC(global_channels, 512),
            nn.Dropout(0.5),
            FC(512, 256),
            nn.Dropout(0.5),
            FC(256, num_classes, last=True),
        )

    def forward(self, points: Tensor) -> Tensor:
        coords, features = points, None
        for stage in self.SA_modules:
            coords, features = stage(coords, features)
        return self.FC_layer(features.squeeze(-1))


_TINY = dict(channels=(16, 32), num_points=(16, 8), num_neighbors=(8, 8), global_channels=32)
_RSCNN = Usual(RSCNN, {}, _TINY, _TINY, arch='rscnn_ssn')
USUAL, OFFICIAL = {'rscnn': _RSCNN}, {'rscnn_ssn': _RSCNN}
