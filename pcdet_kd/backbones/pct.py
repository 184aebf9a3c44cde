"""PCT: Point Cloud Transformer."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import (
    MLP,
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


class NeighborEmbedding(CentreSampler):
    """Sample centres; two layers on [x_j - x_i, x_i] of the nearest neighbours j, and their maximum
    ("SG" in the paper).

    Args:
        in_channels: C of the features.
        out_channels: C of both layers.
        num_points: Centres; a smaller cloud keeps all its points.
        num_neighbors: Neighbours in space, the centre included; a smaller cloud uses all its
            points.
        compat: As in :class:`SetAbstraction`.
        fps_start: As in :class:`SetAbstraction`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_points: int,
        num_neighbors: int,
        compat: str | None,
        fps_start: int | str,
    ) -> None:
        super().__init__(compat, fps_start)
        self.num_points = num_points
        self.num_neighbors = num_neighbors
        self.edge = LinearNormAct(2 * in_channels, out_channels, bias=False)
        self.mlp = LinearNormAct(out_channels, out_channels, bias=False)

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, in_channels) to the centres' (B, M, 3) and (B, M,
        out_channels).
        """
        centres, chosen = self.sample_centres(coords, self.num_points)
        index = knn(centres, coords, min(self.num_neighbors, coords.shape[1]))
        to_offset, to_centre = self.edge.linear.weight.chunk(2, dim=1)
        edges = edge_linear(
            features, group(features, chosen), index, to_offset, to_centre - to_offset
        )
        return centres, max_pool(self.mlp(self.edge.finish(edges)), dim=2)


class OffsetAttention(nn.Module):
    r"""``x + relu(BN(linear(x - attention(x))))``.

    The attention has one head and no scale. Its weights are normalised twice: softmax over the
    keys, then, for each key, by the sum over the queries; a point's output is the sum of all values
    weighted by how much *they* look at it, as in the code:

    .. math::

        a_{ij} = \mathrm{softmax}_j(q_i k_j), \quad
        out_j = \sum_i v_i a_{ij} / (10^{-9} + \sum_i a_{ij})

    Args:
        channels: C; queries and keys have C / 4.
        share_qk: Whether queries and keys are one projection, as in the code.
    """

    def __init__(self, channels: int, share_qk: bool = True) -> None:
        super().__init__()
        self.key = Linear(channels, max(1, channels // 4), bias=False)
        self.query = None if share_qk else Linear(channels, max(1, channels // 4), bias=False)
        self.value = Linear(channels, channels)
        self.transfer = LinearNormAct(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, C) to (B, N, C)."""
        key = self.key(x)
        query = key if self.query is None else self.query(x)
        weights = at_least_float32(query @ key.transpose(1, 2)).softmax(dim=-1)
        weights = weights / (1e-9 + weights.sum(dim=1, keepdim=True))
        return x + self.transfer(x - weights.transpose(1, 2) @ self.value(x))


@BACKBONES.register_module()
class PCT(BaseModule):
    """Point Cloud Transformer (Guo et al., Computational Visual Media 2021): neighbour embedding
    and offset attention.

    From the paper: two neighbour embeddings (512 and 256 points, 32 neighbours), four offset
    attentions of 256 channels whose outputs are concatenated, queries and keys of a quarter of the
    width, ModelNet40 93.2 %, 2.88 M parameters. From the code (MenghaoGuo/PCT in Jittor;
    Strawberry-Eat-Mango/PCT_Pytorch, which most use): 64 channels in the input embedding, two
    layers before the attentions, queries and keys share a projection, the input of the attentions
    is concatenated to their outputs (1,280 channels), only the maximum is pooled (the paper's
    figure pools maximum and average), no position encoding. With that code's head for 40 classes
    2,876,136 parameters.

    ``stages`` of the output: both neighbour embeddings (B, C_i, M_i) and each attention's output
    (B, 256, M). ``point_feats`` (B, out_channels, M) are the features before pooling, at ``coords``
    (B, M, 3).

    Any N: a cloud smaller than a sampling size keeps all its points. Training needs more than one
    row for BatchNorm.

    Args:
        in_channels: Channels of the points, xyz first; all are embedded, neighbours are found by
            xyz.
        embed_channels: Width of the input embedding.
        channels: Width per neighbour embedding; the last is that of the attentions.
        num_points: Centres per neighbour embedding.
        num_neighbors: Neighbours.
        num_attentions: Offset attentions.
        out_channels: Width of the global feature.
        share_qk: As in :class:`OffsetAttention`.
        compat: None, or ``'pointnet2'`` for the CUDA extension's sampling (skips points near the
            origin), as in that code.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        embed_channels: int = 64,
        channels: Sequence[int] = (128, 256),
        num_points: Sequence[int] = (512, 256),
        num_neighbors: int = 32,
        num_attentions: int = 4,
        out_channels: int = 1024,
        share_qk: bool = True,
        compat: str | None = None,
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_one_per('PCT', 'neighbour embedding', channels=channels, num_points=num_points)
        self.in_channels = check_in_channels(in_channels, 'PCT')
        self.embedding = MLP([in_channels, embed_channels, embed_channels], bias=False)
        self.neighbors = nn.ModuleList(
            NeighborEmbedding(*widths, count, num_neighbors, compat, fps_start)
            for widths, count in zip(pairwise([embed_channels, *channels]), num_points)
        )
        width = channels[-1]
        self.pre = MLP([width, width, width], bias=False)
        self.attentions = nn.ModuleList(
            OffsetAttention(width, share_qk) for _ in range(num_attentions)
        )
        self.fuse = LinearNormAct(
            (num_attentions + 1) * width, out_channels, act='leaky_relu', bias=False
        )
        self.out_channels = out_channels

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, _ = split_points(points, self.in_channels, 'PCT')
        features = self.embedding(points)
        stages = []
        for neighbors in self.neighbors:
            coords, features = neighbors(coords, features)
            stages.append(features)
        x, attended = self.pre(features), []
        for attention in self.attentions:
            x = attention(x)
            attended.append(x)
        fused = self.fuse(torch.cat([*attended, features], dim=-1))
        stages = tuple(stage.transpose(1, 2) for stage in (*stages, *attended))
        return PointFeatures(max_pool(fused, dim=1), fused.transpose(1, 2), coords, stages)
