"""RepSurf-U: umbrella surfaces, and PointNet++'s stages with a branch for positions and one for
features.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Usual


def spherical(x: Tensor) -> Tensor:
    """(..., 3) -> distance, polar angle over pi, azimuth as a fraction of a turn plus a half; the
    angle is 0 at the origin.
    """
    rho = (x**2).sum(-1, keepdim=True).sqrt()
    theta = torch.acos(x[..., 2:] / rho)
    theta[rho == 0] = 0
    phi = torch.atan2(x[..., 1:2], x[..., 0:1])
    return torch.cat([rho, theta / math.pi, phi / (2 * math.pi) + 0.5], dim=-1)


def umbrellas(points: Tensor, k: int) -> Tensor:
    """Ten numbers of each of the k triangles around every point: (B, N, 3) -> (B, N, k, 10).

    The triangles' centroids, these in spherical coordinates, unit normals (the first one's x
    decides the sign of all), and the constants of their planes. The random sign of the public code
    is left out.
    """
    index = peers.square_distance(points, points).sort(dim=-1)[1][:, :, 1 : k + 1]
    spokes = peers.index_points(points, index) - points[:, :, None]
    order = spherical(spokes)[..., 2].argsort(dim=-1)
    spokes = torch.gather(spokes, 2, order[..., None].expand(-1, -1, -1, 3))
    following = spokes.roll(-1, dims=2)
    corners = torch.stack(
        [torch.zeros_like(spokes), spokes, following], dim=-2
    )  # (B, N, k, 3 corners, 3)
    normal = torch.cross(
        corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :], dim=-1
    )
    normal = normal / normal.norm(dim=-1, keepdim=True)
    normal = normal * ((normal[..., :1, :1] > 0).to(normal.dtype) * 2 - 1)
    centre = corners.mean(dim=-2)
    angles = spherical(centre)
    constant = (normal * centre).sum(-1, keepdim=True) / math.sqrt(3)
    # a triangle without area has no normal: it becomes the umbrella's first one with area, but for
    # its spherical coordinates
    bad = normal.isnan().any(-1, keepdim=True)
    first = (~bad).int().argmax(dim=2, keepdim=True)
    normal, centre, constant = (
        torch.where(bad, x.gather(2, first.expand(-1, -1, -1, x.shape[-1])), x)
        for x in (normal, centre, constant)
    )
    return torch.cat([centre, angles, normal, constant], dim=-1)


class SurfaceConstructor(nn.Module):
    """An MLP on the triangles around every point, and the sum over them: (B, N, 3) -> (B, N,
    10).
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.mlps = nn.Sequential(
            nn.Conv2d(10, 10, 1, bias=False),
            nn.BatchNorm2d(10),
            nn.ReLU(),
            nn.Conv2d(10, 10, 1),
            nn.BatchNorm2d(10),
            nn.ReLU(),
            nn.Conv2d(10, 10, 1),
        )

    def forward(self, points: Tensor) -> Tensor:
        triangles = umbrellas(points, self.k).permute(0, 3, 2, 1)  # (B, 10, k, N)
        return self.mlps(triangles).sum(2).transpose(1, 2)


class SurfaceAbstraction(nn.Module):
    """Set abstraction whose first layer sees positions and features apart; without ``num_points``
    it takes all points.
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int],
        num_points: int = 0,
        radius: float = 0.0,
        k: int = 0,
    ) -> None:
        super().__init__()
        self.num_points, self.radius, self.k = num_points, radius, k
        self.mlp_convs, self.mlp_bns = nn.ModuleList(), nn.ModuleList()
        self.mlp_l0, self.mlp_f0 = (
            nn.Conv2d(6, channels[0], 1),
            nn.Conv2d(in_channels, channels[0], 1),
        )
        self.bn_l0, self.bn_f0 = nn.BatchNorm2d(channels[0]), nn.BatchNorm2d(channels[0])
        for a, b in pairwise(channels):
            self.mlp_convs.append(nn.Conv2d(a, b, 1))
            self.mlp_bns.append(nn.BatchNorm2d(b))

    def group(
        self, coords: Tensor, features: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return centres and their surfaces, and (B, S, k, C) relative positions and features."""
        if not self.num_points:
            return (
                coords,
                features[0],
                coords[:, None],
                torch.cat([x[:, None] for x in features], dim=-1),
            )
        chosen = peers.farthest_point_sample(coords, self.num_points)
        centres = peers.index_points(coords, chosen)
        index = peers.ball_query(centres, coords, self.radius, self.k)
        offset = peers.index_points(coords, index) - centres[:, :, None]
        grouped = torch.cat([peers.index_points(x, index) for x in features], dim=-1)
        return centres, peers.index_points(features[0], chosen), offset, grouped

    def forward(
        self, coords: Tensor, surface: Tensor, features: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        seen = [surface] if features is None else [surface, features]
        centres, surface, offset, grouped = self.group(coords, seen)
        position = torch.cat([offset, spherical(offset)], dim=-1).permute(
            0, 3, 2, 1
        )  # (B, 6, k, S)
        x = self.bn_l0(self.mlp_l0(position)) + self.bn_f0(self.mlp_f0(grouped.permute(0, 3, 2, 1)))
        x = F.relu(x)
        for conv, norm in zip(self.mlp_convs, self.mlp_bns):
            x = F.relu(norm(conv(x)))
        return centres, surface, x.max(2)[0].transpose(1, 2)


class RepSurf(nn.Module):
    """RepSurf-U: the umbrella surfaces are features in every stage."""

    def __init__(
        self,
        num_classes: int = 40,
        num_points: Sequence[int] = (512, 128),
        radii: Sequence[float] = (0.2, 0.4),
        num_neighbors: Sequence[int] = (32, 64),
        mlp_channels: Sequence[Sequence[int]] = ((64, 64, 128), (128, 128, 256)),
        global_channels: Sequence[int] = (256, 512, 1024),
        triangles: int = 8,
    ) -> None:
        super().__init__()
        self.surface_constructor = SurfaceConstructor(triangles)
        width, self.stages = 0, len(num_points) + 1
        for i, stage in enumerate(zip(mlp_channels, num_points, radii, num_neighbors), start=1):
            setattr(self, f'sa{i}', SurfaceAbstraction(10 + width, *stage))
            width = stage[0][-1]
        setattr(self, f'sa{self.stages}', SurfaceAbstraction(10 + width, global_channels))
        self.classfier = nn.Sequential(
            nn.Linear(global_channels[-1], 512),
            nn.BatchNorm1d(512),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(512, 256),
            nn.BatchNorm1d(256),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(256, num_classes),
        )

    def forward(self, points: Tensor) -> Tensor:
        coords, surface, features = points, self.surface_constructor(points), None
        for i in range(1, self.stages + 1):
            coords, surface, features = getattr(self, f'sa{i}')(coords, surface, features)
        return self.classfier(features.flatten(1))


_2X = dict(
    num_points=(512, 128, 32),
    radii=(0.1, 0.2, 0.4),
    num_neighbors=(24, 24, 24),
    mlp_channels=((128, 128, 256), (256, 256, 512), (512, 512, 1024)),
    global_channels=(1024, 1024, 2048),
)
_TINY = dict(
    num_points=(16, 8),
    num_neighbors=(8, 8),
    mlp_channels=((8, 8, 8), (8, 8, 16)),
    global_channels=(16, 16, 32),
)
_TINY_2X = dict(
    num_points=(32, 16, 8),
    num_neighbors=(8, 8, 8),
    mlp_channels=((8, 8, 8), (8, 8, 16), (16, 16, 16)),
    global_channels=(16, 16, 32),
)
USUAL = {
    'repsurf': Usual(RepSurf, {}, _TINY, dict(_TINY, flip=None), 'repsurf_ssg_umb'),
    'repsurf_2x': Usual(RepSurf, _2X, _TINY_2X, dict(_TINY_2X, flip=None), 'repsurf_ssg_umb_2x'),
}
OFFICIAL = {
    'repsurf_ssg_umb': USUAL['repsurf']._replace(settings=dict(num_classes=15)),
    'repsurf_ssg_umb_2x': USUAL['repsurf_2x']._replace(settings=dict(_2X, num_classes=15)),
}
