"""RS-CNN."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers import (
    CentreSampler,
    GlobalSetAbstraction,
    Linear,
    LinearNormAct,
    check_in_channels,
    max_pool,
    split_points,
)
from pcdet_kd.ops import ball_query, group
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_choice, check_one_per

RELATION_CHANNELS = 10


def centred_ball(centres: Tensor, coords: Tensor, chosen: Tensor, radius: float, k: int) -> Tensor:
    """Find the centre itself, then up to k neighbours of each centre at 0 < d^2 < r^2; the rest is
    filled with the centre.

    Args:
        centres: (B, M, 3), the points ``chosen``.
        coords: (B, N, 3).
        chosen: (B, M) indices of the centres.
        radius: r, in the unit of the coordinates.
        k: Neighbours besides the centre: the first in storage order.

    Returns:
        (B, M, k + 1) indices. Copies of a centre (other points at exactly its place) are not
        neighbours and take no place, as in the authors' kernel.
    """
    centres, coords, centre = centres.detach(), coords.detach(), chosen.unsqueeze(2)
    # A first point beyond every ball: the index 0 of an empty ball then is no neighbour's.
    beyond = 2 * (coords.abs().amax(1, keepdim=True) + radius)
    found = ball_query(
        centres, torch.cat([beyond, coords], dim=1), radius, k, compat='pointnet2', skip_copies=True
    )
    left = F.pad(found, (1, 0)).diff() <= 0  # hits ascend; then the op repeats the first
    return torch.cat([centre, torch.where(left, centre, found - 1)], dim=-1)


class RelationShapeConv(CentreSampler):
    """Sample centres; weight each neighbour's features by an MLP of its relation to the centre;
    take the maximum; widen.

    The features of a neighbour are its position relative to the centre and the features of the
    stage before.

    Args:
        in_channels: Channels of the features, without the coordinates; 0 if there are none.
        out_channels: Channels of the output.
        num_points: Centres to sample; a smaller cloud keeps all its points.
        radius: Of the balls around centres.
        num_neighbors: Neighbours per centre, itself not included.
        hidden_channels: Width inside the relation MLP.
        lift_channels: Width to which neighbours' features are lifted first, or None to take them as
            they are.
        unused_channels: Width of a BatchNorm that is not used, or None; see :class:`RSCNN`.
        relation_prior: As in :class:`RSCNN`.
        compat: As in :class:`RSCNN`.
        fps_start: As in :class:`RSCNN`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_points: int,
        radius: float,
        num_neighbors: int,
        hidden_channels: int,
        lift_channels: int | None,
        unused_channels: int | None,
        relation_prior: str,
        compat: str | None,
        fps_start: int | str,
    ) -> None:
        super().__init__(compat, fps_start)
        self.num_points = num_points
        self.radius = radius
        self.num_neighbors = num_neighbors
        self.relation_prior = relation_prior
        width = lift_channels or 3 + in_channels
        self.relation = nn.Sequential(
            LinearNormAct(RELATION_CHANNELS, hidden_channels), Linear(hidden_channels, width)
        )
        self.lift = LinearNormAct(3 + in_channels, lift_channels) if lift_channels else None
        self.norm = nn.BatchNorm1d(width)
        self.raising = LinearNormAct(width, out_channels)
        self.unused_norm = (
            nn.BatchNorm1d(unused_channels).requires_grad_(False) if unused_channels else None
        )

    def forward(self, coords: Tensor, features: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map coordinates (B, N, 3) and features (B, N, in_channels) to the centres' (B, M, 3) and
        (B, M, out_channels).
        """
        centres, chosen = self.sample_centres(coords, self.num_points)
        index = centred_ball(centres, coords, chosen, self.radius, self.num_neighbors)
        points, origin = group(coords, index), centres.unsqueeze(2)
        offset = points - origin
        x = offset if features is None else torch.cat([offset, group(features, index)], dim=-1)
        if self.lift is not None:
            x = self.lift(x)
        x = self.relation(self._relations(points, origin, offset)) * x
        x = self.norm(x.flatten(0, 2)).view(x.shape).relu()
        return centres, self.raising(max_pool(x, dim=2))

    def _relations(self, points: Tensor, origin: Tensor, offset: Tensor) -> Tensor:
        distance = torch.linalg.vector_norm(offset, dim=-1, keepdim=True)
        if self.relation_prior == 'paper':
            return torch.cat([distance, origin.expand_as(points), points, offset], dim=-1)
        return torch.cat([distance, torch.zeros_like(offset), offset, offset], dim=-1)


@BACKBONES.register_module()
class RSCNN(BaseModule):
    r"""RS-CNN with single-scale neighbourhoods, SSN (Liu et al., CVPR 2019).

    Two relation-shape convolutions, then one linear layer and the maximum over all centres. A
    convolution computes its weights from the relation of a neighbour to its centre, :math:`h =
    (\|x_j - x_i\|, x_i, x_j, x_j - x_i)`, ten numbers.

    ``relation_prior='released'`` is the authors' code, in which the absolute coordinates were
    overwritten by relative ones: :math:`h = (\|x_j - x_i\|, 0, x_j - x_i, x_j - x_i)`. The
    published 92.4 % (without votes) and 92.9 % on ModelNet40 are that code's, and its checkpoints
    need it. ``'paper'`` is h as written.

    With a 512-256-40 head whose hidden layers have no bias 1,289,505 parameters, and with
    PointCMT's, one hidden layer of 512, 1,168,161. 32 of them belong to a BatchNorm in the second
    stage that the authors' code makes and never uses. Here it is frozen (``requires_grad`` is
    false, so no optimiser and no DDP waits for it), and ``keep_unused=False`` leaves it out.

    ``stages`` of the output: the features after each convolution (B, C_i, M_i). ``point_feats`` (B,
    out_channels, M) are those before the last max pooling, at ``coords`` (B, M, 3).

    Any N: a cloud smaller than a sampling size keeps all its points. The coordinates should lie in
    the unit sphere: the radii do not adapt. Training needs more than one row for BatchNorm: B > 1,
    or M > 1.

    Args:
        in_channels: Channels of the points, xyz first; the others are features.
        channels: Width per convolution.
        num_points: Centres per convolution.
        radii: Radius per convolution; points on the sphere are outside.
        num_neighbors: Neighbours per convolution, the centre not included.
        lift_channels: Width to which the first convolution lifts the points.
        global_channels: Width of the global feature.
        relation_prior: ``'released'`` or ``'paper'``.
        keep_unused: Whether to keep the unused parameters; converted checkpoints have them.
        compat: None, or ``'pointnet2'`` for the CUDA extension's sampling (skips points near the
            origin), as published.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: Sequence[int] = (128, 512),
        num_points: Sequence[int] = (512, 128),
        radii: Sequence[float] = (0.23, 0.32),
        num_neighbors: Sequence[int] = (48, 64),
        lift_channels: int = 16,
        global_channels: int = 1024,
        relation_prior: str = 'released',
        keep_unused: bool = True,
        compat: str | None = None,
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_one_per(
            'RSCNN',
            'convolution',
            channels=channels,
            num_points=num_points,
            radii=radii,
            num_neighbors=num_neighbors,
        )
        check_choice('relation_prior', relation_prior, ('released', 'paper'))
        self.in_channels = check_in_channels(in_channels, 'RSCNN')
        self.convs = nn.ModuleList()
        width = in_channels - 3
        for i, (channel, count, radius, k) in enumerate(
            zip(channels, num_points, radii, num_neighbors)
        ):
            self.convs.append(
                RelationShapeConv(
                    width,
                    channel,
                    count,
                    radius,
                    k,
                    hidden_channels=channel // (4 if i else 2),
                    lift_channels=None if i else lift_channels,
                    unused_channels=lift_channels if i and keep_unused else None,
                    relation_prior=relation_prior,
                    compat=compat,
                    fps_start=fps_start,
                )
            )
            width = channel
        self.global_conv = GlobalSetAbstraction(width, [global_channels], bias=True)
        self.out_channels = global_channels
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, features = split_points(points, self.in_channels, 'RSCNN')
        stages = []
        for conv in self.convs:
            coords, features = conv(coords, features)
            stages.append(features.transpose(1, 2))
        global_feat, point_feats = self.global_conv(coords, features)
        return PointFeatures(global_feat, point_feats.transpose(1, 2), coords, tuple(stages))
