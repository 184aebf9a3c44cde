"""Point Transformer: vector attention among neighbours."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers import (
    CentreSampler,
    Linear,
    LinearNormAct,
    at_least_float32,
    check_in_channels,
    edge_linear,
    max_pool,
    split_points,
)
from pcdet_kd.ops import group, knn
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_one_per


class VectorAttention(nn.Module):
    r"""Attention with a weight per group of channels, on the nearest neighbours j of each point.

    .. math::

        y_i = \sum_j \mathrm{softmax}_j(\gamma(k_j - q_i + \delta_{ij})) \odot (v_j + \delta_{ij})

    with :math:`\delta` an MLP on p_j - p_i and :math:`\gamma` BatchNorm, ReLU, Linear, BatchNorm,
    ReLU, Linear.

    Args:
        channels: C.
        share: Channels that share a weight; weights repeat every C / ``share`` channels.
    """

    def __init__(self, channels: int, share: int = 8) -> None:
        super().__init__()
        if channels % share:
            raise ValueError(f'{channels} channels cannot be shared by {share}: choose a divisor')
        inner = channels // share
        self.share = share
        self.query = Linear(channels, channels)
        self.key = Linear(channels, channels)
        self.value = Linear(channels, channels)
        self.place = nn.Sequential(LinearNormAct(3, 3), Linear(3, channels))
        self.norm = nn.BatchNorm1d(channels)
        self.weight = nn.Sequential(LinearNormAct(channels, inner), Linear(inner, inner))

    def forward(self, coords: Tensor, x: Tensor, index: Tensor) -> Tensor:
        """Map (B, N, 3), (B, N, C) and neighbours (B, N, k) to (B, N, C)."""
        place = self.place(group(coords, index) - coords.unsqueeze(2))
        relation = group(self.key(x), index) - self.query(x).unsqueeze(2) + place
        relation = F.relu(self.norm(relation.flatten(0, 2))).view(relation.shape)
        weight = at_least_float32(self.weight(relation)).softmax(dim=2)
        value = (group(self.value(x), index) + place).unflatten(-1, (self.share, -1))
        return (value * weight.unsqueeze(-2)).sum(dim=2).flatten(-2)


class PointTransformerBlock(nn.Module):
    """Linear, :class:`VectorAttention`, linear, each with BatchNorm, in a residual.

    Args:
        channels: C.
        share: As in :class:`VectorAttention`.
    """

    def __init__(self, channels: int, share: int = 8) -> None:
        super().__init__()
        self.reduce = LinearNormAct(channels, channels, bias=False)
        self.attention = VectorAttention(channels, share)
        self.norm = nn.BatchNorm1d(channels)
        self.expand = LinearNormAct(channels, channels, act=None, bias=False)

    def forward(self, coords: Tensor, x: Tensor, index: Tensor) -> Tensor:
        """Map (B, N, 3), (B, N, C) and neighbours (B, N, k) to (B, N, C)."""
        y = self.attention(coords, self.reduce(x), index)
        y = F.relu(self.norm(y.flatten(0, 1)).view(y.shape))
        return F.relu(x + self.expand(y))


class TransitionDown(CentreSampler):
    """Sample centres; a layer on [p_j - p_i, x_j] of their nearest neighbours, and the maximum.
    With stride 1 a layer only.

    Args:
        in_channels: C of the features.
        out_channels: C of the output.
        stride: How many points there are per centre, rounded down; at least one centre is left.
        num_neighbors: Neighbours, the centre included; a smaller cloud uses all its points.
        compat: As in :class:`SetAbstraction`.
        fps_start: As in :class:`SetAbstraction`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        num_neighbors: int,
        compat: str | None,
        fps_start: int | str,
    ) -> None:
        super().__init__(compat, fps_start)
        self.stride = stride
        self.num_neighbors = num_neighbors
        self.layer = LinearNormAct(in_channels + (3 if stride > 1 else 0), out_channels, bias=False)

    def forward(self, coords: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, in_channels) to (B, M, 3) and (B, M, out_channels)."""
        if self.stride == 1:
            return coords, self.layer(x)
        num_points = coords.shape[1]
        centres, _ = self.sample_centres(coords, max(1, num_points // self.stride))
        index = knn(centres, coords, min(self.num_neighbors, num_points))
        weight = self.layer.linear.weight
        points = torch.cat([coords, at_least_float32(x)], dim=-1)
        return centres, max_pool(
            self.layer.finish(edge_linear(points, centres, index, weight, -weight[:, :3])), dim=2
        )


@BACKBONES.register_module()
class PointTransformer(BaseModule):
    """Point Transformer for classification (Zhao et al., ICCV 2021).

    From the paper: five stages of 32 to 512 channels on N, N/4, ..., N/256 points, 16 neighbours,
    subtraction relation, position encoding in both branches, transition down by farthest points and
    maximum, global average pooling, ModelNet40 93.7 % (with normals: ``in_channels=6``). The
    authors released no classification code. From the usual one (Pointcept, openpoints and their
    common origin, POSTECH-CVLab): a weight for every 8 channels, where BatchNorm sits, 8 neighbours
    in the first stage, the head. The number of blocks per stage is not certain: the paper's figure
    draws one; Pointcept names its networks by (1, 1, 1, 1, 1), (1, 2, 2, 2, 2) and (1, 2, 3, 5, 2),
    the second being the default here, but its loop leaves out one block per stage. With the head
    512-256-128-40: 3,964,394 parameters. Of 1,024 points 4 are left in the last stage, fewer than
    its 16 neighbours: the public kernels fill up (the older ones with the cloud's first point, the
    newer ones with zeros), here the 4 are all there is.

    ``stages`` of the output: the features after each stage (B, C_i, M_i); ``point_feats`` (B,
    out_channels, M) is the last one, at ``coords`` (B, M, 3).

    Any N: at least one point is left at each stage. Training needs more than one row for BatchNorm.

    Args:
        in_channels: Channels of the points, xyz first; all are features.
        channels: Width per stage.
        blocks: Attention blocks per stage.
        strides: Points per centre and stage.
        num_neighbors: Neighbours per stage.
        share: As in :class:`VectorAttention`.
        compat: None, or ``'pointnet2'`` for that CUDA extension's sampling (skips points near the
            origin).
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: Sequence[int] = (32, 64, 128, 256, 512),
        blocks: Sequence[int] = (1, 2, 2, 2, 2),
        strides: Sequence[int] = (1, 4, 4, 4, 4),
        num_neighbors: Sequence[int] = (8, 16, 16, 16, 16),
        share: int = 8,
        compat: str | None = None,
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_one_per(
            'PointTransformer',
            'stage',
            channels=channels,
            blocks=blocks,
            strides=strides,
            num_neighbors=num_neighbors,
        )
        self.in_channels = check_in_channels(in_channels, 'PointTransformer')
        self.num_neighbors = tuple(num_neighbors)
        width, self.downs, self.stages = in_channels, nn.ModuleList(), nn.ModuleList()
        for channel, count, stride, k in zip(channels, blocks, strides, num_neighbors):
            self.downs.append(TransitionDown(width, channel, stride, k, compat, fps_start))
            self.stages.append(
                nn.ModuleList(PointTransformerBlock(channel, share) for _ in range(count))
            )
            width = channel
        self.out_channels = width

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, _ = split_points(points, self.in_channels, 'PointTransformer')
        x, stages = points, []
        for down, blocks, k in zip(self.downs, self.stages, self.num_neighbors):
            coords, x = down(coords, x)
            if len(blocks):
                index = knn(coords, coords, min(k, coords.shape[1]))
                for block in blocks:
                    x = block(coords, x, index)
            stages.append(x.transpose(1, 2))
        return PointFeatures(x.mean(dim=1), stages[-1], coords, tuple(stages))
