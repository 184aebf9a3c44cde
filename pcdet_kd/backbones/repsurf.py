"""RepSurf-U: PointNet++ on umbrella surfaces."""

import math
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import (
    MLP,
    CentreSampler,
    LinearNormAct,
    at_least_float32,
    check_in_channels,
    max_pool,
    split_points,
)
from pcdet_kd.ops import ball_query, group, knn
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_choice, check_one_per, from_preset

SURFACE_CHANNELS = 10
POSITION_CHANNELS = 6
TINY = 1e-30  # vectors with a squared length of at most this have no direction

_VARIANTS = {
    '1x': dict(
        num_points=(512, 128),
        radii=(0.2, 0.4),
        num_neighbors=(32, 64),
        mlp_channels=((64, 64, 128), (128, 128, 256)),
        global_channels=(256, 512, 1024),
    ),
    '2x': dict(
        num_points=(512, 128, 32),
        radii=(0.1, 0.2, 0.4),
        num_neighbors=(24, 24, 24),
        mlp_channels=((128, 128, 256), (256, 256, 512), (512, 512, 1024)),
        global_channels=(1024, 1024, 2048),
    ),
}


def spherical(xyz: Tensor) -> Tensor:
    """Return (rho, theta / pi, phi / (2 pi) + 1/2) of vectors (..., 3); gradients are finite
    everywhere.

    theta is the angle to +z and phi that around it, from +x. They are 0 for a zero vector, and phi
    is 0 on the z axis.
    """
    x, y, z = xyz.unbind(-1)
    squared = xyz.square().sum(-1)
    zero = squared <= TINY
    rho = torch.where(zero, 1, squared).sqrt()
    cosine = z / rho
    # acos and atan2 have no gradient at the poles, and 0 * inf is NaN: they must not see those
    # values at all.
    pole = (cosine.abs() >= 1) | zero
    theta = torch.where(pole, 0, torch.where(pole, 0, cosine).acos())
    theta = torch.where(cosine <= -1, math.pi, theta)
    flat = x.square() + y.square() <= TINY
    phi = torch.atan2(torch.where(flat, 0, y), torch.where(flat, 1, x))
    return torch.stack(
        [torch.where(zero, 0, rho), theta / math.pi, phi / (2 * math.pi) + 0.5], dim=-1
    )


def umbrellas(coords: Tensor, k: int, flip: Tensor | None = None) -> Tensor:
    """Describe each point by the k triangles that it spans with its k nearest neighbours, in their
    order around z.

    Args:
        coords: (B, N, 3). With N <= k, neighbours are used again in turn.
        k: Triangles per point.
        flip: (B, 1, 1, 1), 1 or -1: the sign of each cloud's normals; None for 1.

    Returns:
        (B, N, k, 10): the triangle's centre relative to the point (3), that in spherical
        coordinates (3), its unit normal (3), of which all of an umbrella have the sign that makes x
        of the first one positive, and the distance of its plane from the point over sqrt(3), which
        is 0 but for rounding and kept as in the authors' code. Triangles without an area take the
        centre, normal and distance of the umbrella's first one that has an area; if there is none,
        the latter two are 0.
    """
    index = knn(coords, coords, min(k + 1, coords.shape[1]))
    others = index.shape[2] - 1  # without the point itself, which comes first
    columns = torch.arange(k, device=coords.device) % max(others, 1) + min(others, 1)
    points = group(coords, index[..., columns]) - coords.unsqueeze(2)
    order = spherical(points.detach())[..., 2].argsort(dim=-1, stable=True)
    points = points.gather(2, order.unsqueeze(-1).expand_as(points))
    following = points.roll(-1, dims=2)
    normal = torch.linalg.cross(points, following)
    squared = normal.square().sum(-1, keepdim=True)
    degenerate = squared <= TINY
    normal = torch.where(degenerate, 0, normal) / torch.where(degenerate, 1, squared).sqrt()
    normal = torch.where(normal[:, :, :1, :1] > 0, normal, -normal)
    if flip is not None:
        normal = normal * flip
    centre = (points + following) / 3
    polar = spherical(centre)
    described = torch.cat(
        [centre, normal, (normal * centre).sum(-1, keepdim=True) / math.sqrt(3)], dim=-1
    )
    first = (~degenerate).int().argmax(dim=2, keepdim=True)
    described = torch.where(
        degenerate, described.gather(2, first.expand(-1, -1, -1, described.shape[3])), described
    )
    return torch.cat([described[..., :3], polar, described[..., 3:]], dim=-1)


class UmbrellaSurface(nn.Module):
    """A learned description of the surface around each point: an MLP on :func:`umbrellas`, summed
    over the triangles.

    Args:
        num_triangles: Per point.
        flip: As in :class:`RepSurf`.
    """

    def __init__(self, num_triangles: int, flip: str | None) -> None:
        super().__init__()
        self.num_triangles = num_triangles
        self.flip = flip
        self.mlp = nn.Sequential(
            MLP([SURFACE_CHANNELS] * 3, bias=(False, True)),
            nn.Linear(SURFACE_CHANNELS, SURFACE_CHANNELS),
        )

    def forward(self, coords: Tensor) -> Tensor:
        """Map (B, N, 3) to (B, N, 10)."""
        coords, flip = at_least_float32(coords), None
        if self.flip == 'always' or (self.flip == 'training' and self.training):
            flip = torch.randint(2, (coords.shape[0], 1, 1, 1), device=coords.device) * 2 - 1
        return self.mlp(umbrellas(coords, self.num_triangles, flip)).sum(dim=2)


class TwoBranchMLP(nn.Module):
    """An MLP whose first layer has two branches, positions and features, that are normalised
    separately and added.

    It sees positions in Cartesian and in spherical coordinates.

    Args:
        in_channels: Channels of the features.
        channels: Widths.
    """

    def __init__(self, in_channels: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.position = LinearNormAct(POSITION_CHANNELS, channels[0], act=None)
        self.feature = LinearNormAct(in_channels, channels[0], act=None)
        self.rest = MLP(channels)

    def forward(self, positions: Tensor, features: Tensor) -> Tensor:
        """Map (..., 3) and (..., in_channels) to (..., out_channels)."""
        positions = at_least_float32(positions)
        both = torch.cat([positions, spherical(positions)], dim=-1)
        return self.rest((self.position(both) + self.feature(features)).relu())


class SurfaceAbstraction(CentreSampler):
    """Set abstraction with a :class:`TwoBranchMLP`.

    Args:
        in_channels: Channels of the features.
        mlp_channels: Widths of the MLP.
        num_points: Centres to sample; a smaller cloud keeps all its points.
        radius: Of the balls; points on the sphere are outside.
        num_neighbors: Neighbours per centre; a ball with fewer points repeats its first one.
        fps_start: As in :class:`RepSurf`.
    """

    def __init__(
        self,
        in_channels: int,
        mlp_channels: Sequence[int],
        num_points: int,
        radius: float,
        num_neighbors: int,
        fps_start: int | str,
    ) -> None:
        super().__init__(fps_start=fps_start)
        self.num_points = num_points
        self.radius = radius
        self.num_neighbors = num_neighbors
        self.mlp = TwoBranchMLP(in_channels, mlp_channels)

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, C) to the centres' coordinates (B, M, 3), indices (B, M) and (B,
        M, C').
        """
        centres, chosen = self.sample_centres(coords, self.num_points)
        index = ball_query(centres, coords, self.radius, self.num_neighbors, compat='pointnet2')
        x = self.mlp(group(coords, index) - centres.unsqueeze(2), group(features, index))
        return centres, chosen, max_pool(x, dim=2)


@BACKBONES.register_module()
class RepSurf(BaseModule):
    """RepSurf-U, umbrella representative surfaces on PointNet++ SSG (Ran et al., CVPR 2022).

    An MLP describes the triangles of each point with its eight nearest neighbours by ten numbers;
    they are further features in all set abstractions. With a 512-256-40 head: ``'1x'`` 1,483,216
    parameters, ``'2x'``, twice as wide and with one more stage, 6,806,288. With 15 classes
    1,476,791 and 6,799,863.

    The sign of a normal is not known: in training all normals of a cloud are flipped at random. The
    authors' code flips them in testing too (``flip='always'``), so that its accuracies vary a
    little from run to run.

    ``stages`` of the output: the features after each set abstraction (B, C_i, M_i). ``point_feats``
    (B, out_channels, M) are those before the last max pooling, at ``coords`` (B, M, 3).

    Any N: a cloud smaller than a sampling size keeps all its points, one of less than nine points
    uses neighbours again, and points that coincide or lie in line have no normal and take their
    neighbour's (the authors' code gives NaN if all do). The coordinates should lie in the unit
    sphere: the radii do not adapt. Training needs more than one row for BatchNorm: B > 1, or M > 1.

    Args:
        in_channels: Channels of the points, xyz first; the others are features of the first set
            abstraction.
        variant: ``'1x'`` or ``'2x'``; the next five arguments override its values.
        num_points: Centres per set abstraction.
        radii: Radius per set abstraction.
        num_neighbors: Neighbours per set abstraction.
        mlp_channels: Widths of the MLP per set abstraction.
        global_channels: Widths of the group-all stage.
        num_triangles: Triangles per point.
        flip: When normals are turned around at random: ``'training'``, ``'always'`` as released, or
            None for never.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        variant: str = '1x',
        num_points: Sequence[int] | None = None,
        radii: Sequence[float] | None = None,
        num_neighbors: Sequence[int] | None = None,
        mlp_channels: Sequence[Sequence[int]] | None = None,
        global_channels: Sequence[int] | None = None,
        num_triangles: int = 8,
        flip: str | None = 'training',
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_choice('flip', flip, ('training', 'always', None))
        per_stage = from_preset(
            'variant',
            variant,
            _VARIANTS,
            num_points=num_points,
            radii=radii,
            num_neighbors=num_neighbors,
            mlp_channels=mlp_channels,
            global_channels=global_channels,
        )
        global_channels = per_stage.pop('global_channels')
        check_one_per('RepSurf', 'set abstraction', **per_stage)
        self.in_channels = check_in_channels(in_channels, 'RepSurf')
        self.surface = UmbrellaSurface(num_triangles, flip)
        self.set_abstractions = nn.ModuleList()
        width = in_channels - 3
        for count, radius, k, widths in zip(*per_stage.values()):
            self.set_abstractions.append(
                SurfaceAbstraction(SURFACE_CHANNELS + width, widths, count, radius, k, fps_start)
            )
            width = widths[-1]
        self.global_mlp = TwoBranchMLP(SURFACE_CHANNELS + width, global_channels)
        self.out_channels = global_channels[-1]

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, extra = split_points(points, self.in_channels, 'RepSurf')
        surfaces = self.surface(coords)
        x = surfaces if extra is None else torch.cat([surfaces, extra], dim=-1)
        stages = []
        for stage in self.set_abstractions:
            coords, chosen, features = stage(coords, x)
            stages.append(features.transpose(1, 2))
            surfaces = group(surfaces, chosen)
            x = torch.cat([surfaces, features], dim=-1)
        x = self.global_mlp(coords, x)
        return PointFeatures(max_pool(x, dim=1), x.transpose(1, 2), coords, tuple(stages))
