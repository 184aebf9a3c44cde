"""PointNeXt."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import (
    MLP,
    CentreSampler,
    GlobalSetAbstraction,
    LinearNormAct,
    check_in_channels,
    max_pool,
    split_points,
)
from pcdet_kd.ops import ball_query, group
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures


class BallGroup(nn.Module):
    """Neighbours' positions relative to a centre, and their features.

    Args:
        radius: Of the balls; points on the sphere are outside.
        num_neighbors: Neighbours per centre; a ball with fewer points repeats its first one.
        normalize: Whether relative positions are divided by the radius.
    """

    def __init__(self, radius: float, num_neighbors: int, normalize: bool) -> None:
        super().__init__()
        self.radius = radius
        self.num_neighbors = num_neighbors
        self.normalize = normalize

    def forward(self, centres: Tensor, coords: Tensor, features: Tensor) -> Tensor:
        """Map (B, M, 3), (B, N, 3) and (B, N, C) to (B, M, k, 3 + C)."""
        index = ball_query(centres, coords, self.radius, self.num_neighbors, compat='pointnet2')
        offset = group(coords, index) - centres.unsqueeze(2)
        if self.normalize:
            offset = offset / self.radius
        return torch.cat([offset, group(features, index)], dim=-1)


class ReducingStage(CentreSampler):
    """Sample centres and describe each by MLP and max over its ball, with or without a shortcut.

    Args:
        in_channels: Channels of the features.
        out_channels: Channels of the output; hidden layers have half as many.
        stride: Points per centre.
        layers: Layers of the MLP.
        residual: Whether the centre's own features, through a linear layer, are added before the
            last activation.
        grouper: Arguments of :class:`BallGroup`.
        fps_start: As in :class:`PointNeXt`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        layers: int,
        residual: bool,
        grouper: dict,
        fps_start: int | str,
    ) -> None:
        super().__init__(fps_start=fps_start)
        self.stride = stride
        self.grouper = BallGroup(**grouper)
        self.shortcut = nn.Linear(in_channels, out_channels) if residual else None
        widths = [out_channels // 2] * (layers - 1) + [out_channels]
        self.mlp = MLP([3 + in_channels, *widths], bias=False, last_act=not residual)

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, in_channels) to (B, M, 3) and (B, M, out_channels), M = max(1, N
        // stride).
        """
        centres, chosen = self.sample_centres(coords, max(1, coords.shape[1] // self.stride))
        x = max_pool(self.mlp(self.grouper(centres, coords, features)), dim=2)
        if self.shortcut is not None:
            x = (x + self.shortcut(group(features, chosen))).relu()
        return centres, x


class InvResMLP(nn.Module):
    """Inverted residual MLP: max over each point's ball, a point-wise MLP that is wider inside, and
    a shortcut.

    Args:
        channels: Of input and output.
        expansion: Width inside as a multiple of ``channels``.
        grouper: Arguments of :class:`BallGroup`.
    """

    def __init__(self, channels: int, expansion: int, grouper: dict) -> None:
        super().__init__()
        self.grouper = BallGroup(**grouper)
        self.local = LinearNormAct(3 + channels, channels, bias=False)
        self.pointwise = MLP([channels, expansion * channels, channels], bias=False, last_act=False)

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, channels) to the same shapes; the coordinates are unchanged."""
        x = max_pool(self.local(self.grouper(coords, coords, features)), dim=2)
        return coords, (features + self.pointwise(x)).relu()


@BACKBONES.register_module()
class PointNeXt(BaseModule):
    """PointNeXt for classification (Qian et al., NeurIPS 2022): PointNet++ with shortcuts, and with
    positions in units of the radius.

    A linear stem, stages that halve the points and double the width, each followed by inverted
    residual MLPs, and a group-all stage. The defaults are PointNeXt-S, which has none of those
    blocks. With a 512-256 head whose hidden layers have no bias: 1,373,512 parameters
    (``in_channels=3``, 40 classes), 1,367,119 (4 channels, 15 classes), and with ``width=64``
    4,523,112 and 4,516,751. The paper's larger networks, which are for segmentation, have blocks,
    ``mlp_layers=1`` and no shortcuts (``residual=False``).

    For ScanObjectNN the authors add the height above the lowest point as fourth channel
    (``AddHeight``).

    ``stages`` of the output: the features after each stage (B, C_i, M_i), the group-all stage not
    included. ``point_feats`` (B, out_channels, M) are those before the last max pooling, at
    ``coords`` (B, M, 3).

    Any N: a stage keeps at least one point, a ball smaller than its neighbour count repeats one.
    Training needs more than one row for BatchNorm: B > 1, or M > 1.

    Args:
        in_channels: Channels of the points, xyz first; all go into the stem, neighbours are found
            by xyz.
        width: Of the stem; 32 or 64 as published.
        strides: Points per centre for each stage.
        blocks: Inverted residual MLPs after each stage.
        radius: Of the first stage's balls.
        radius_scaling: Factor from each stage to the next; a stage's blocks have the next one's
            radius. The authors' code says 1.5 for classification, and 2 elsewhere.
        num_neighbors: Neighbours per ball.
        mlp_layers: Layers of the MLP in a stage.
        residual: Whether stages have shortcuts.
        expansion: Width inside the inverted residual MLPs as a multiple.
        normalize_offsets: Whether relative positions are divided by the radius.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        width: int = 32,
        strides: Sequence[int] = (2, 2, 2, 2),
        blocks: Sequence[int] = (0, 0, 0, 0),
        radius: float = 0.15,
        radius_scaling: float = 1.5,
        num_neighbors: int = 32,
        mlp_layers: int = 2,
        residual: bool = True,
        expansion: int = 4,
        normalize_offsets: bool = True,
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not len(strides) == len(blocks) > 0 or min(strides, default=0) < 1:
            raise ValueError(
                f'PointNeXt: strides is {tuple(strides)}, blocks is {tuple(blocks)}: give one of '
                'each per stage, strides of at least 1'
            )
        self.in_channels = check_in_channels(in_channels, 'PointNeXt')
        self.stem = nn.Linear(in_channels, width)
        self.stages = nn.ModuleList()
        grouper = dict(num_neighbors=num_neighbors, normalize=normalize_offsets)
        for stride, count in zip(strides, blocks):
            reducing = ReducingStage(
                width,
                2 * width,
                stride,
                mlp_layers,
                residual,
                dict(grouper, radius=radius),
                fps_start,
            )
            width, radius = 2 * width, radius * radius_scaling
            inverted = (
                InvResMLP(width, expansion, dict(grouper, radius=radius)) for _ in range(count)
            )
            self.stages.append(nn.ModuleList([reducing, *inverted]))
        self.global_abstraction = GlobalSetAbstraction(width, [width] * mlp_layers)
        self.out_channels = width

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, _ = split_points(points, self.in_channels, 'PointNeXt')
        features = self.stem(points)
        stages = []
        for stage in self.stages:
            for block in stage:
                coords, features = block(coords, features)
            stages.append(features.transpose(1, 2))
        global_feat, point_feats = self.global_abstraction(coords, features)
        return PointFeatures(global_feat, point_feats.transpose(1, 2), coords, tuple(stages))
