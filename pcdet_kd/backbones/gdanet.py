"""GDANet: geometry-disentangled attention network."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import (
    Linear,
    LinearNormAct,
    at_least_float32,
    check_in_channels,
    edge_linear,
    max_mean_pool,
    max_pool,
    split_points,
)
from pcdet_kd.ops import group, knn
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures


class LocalOperator(nn.Module):
    """Two layers on [x_j - x_i, x_j] of the nearest neighbours j in feature space, and their
    maximum.

    Args:
        in_channels: C of the features.
        out_channels: C of both layers.
        num_neighbors: k, the point itself included; a smaller cloud uses all its points.
    """

    def __init__(self, in_channels: int, out_channels: int, num_neighbors: int = 30) -> None:
        super().__init__()
        self.num_neighbors = num_neighbors
        self.edge = LinearNormAct(2 * in_channels, out_channels)
        self.mlp = LinearNormAct(out_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, in_channels) to (B, N, out_channels)."""
        index = knn(x, x, min(self.num_neighbors, x.shape[1]))
        to_offset, to_neighbor = self.edge.linear.weight.chunk(2, dim=1)
        edges = (
            edge_linear(x, x, index, to_offset + to_neighbor, -to_offset) + self.edge.linear.bias
        )
        return max_pool(self.mlp(self.edge.finish(edges)), dim=2)


@torch.no_grad()
def disentangle(
    x: Tensor,
    num_select: int = 256,
    num_neighbors: int = 64,
    threshold: float = 0.2,
    sigma: float = 2.0,
) -> tuple[Tensor, Tensor]:
    r"""Find the points that vary most and least against their neighbours: a high-pass filter on a
    graph of features.

    With weights :math:`w_{ij} = \exp(-d_{ij}^2 / \sigma^2)` where :math:`d_{ij}` is below the
    threshold, else 0, a point's variation is :math:`\|x_i - \sum_j w_{ij} x_j / \sum_l w_{il}\|`; j
    goes over the nearest neighbours without the point itself, l over all points with it, as in the
    code.

    Args:
        x: (B, N, C) features.
        num_select: M; a smaller cloud gives all its points.
        num_neighbors: Neighbours j, plus the point itself.
        threshold: Largest distance of an edge, in the unit of the features.
        sigma: Width of the kernel.

    Returns:
        Indices (B, M) of the sharp points, most varying first, and of the gentle ones, least
        varying first.
    """
    with torch.autocast(x.device.type, enabled=False):
        x = at_least_float32(x.detach())
        index = knn(x, x, min(num_neighbors, x.shape[1]))[..., 1:]
        centred = x - x.mean(
            dim=1, keepdim=True
        )  # distances cancel less; the filter itself needs x as it is
        squares = centred.square().sum(dim=-1)
        gap = (
            squares.unsqueeze(2) + squares.unsqueeze(1) - 2 * centred @ centred.transpose(1, 2)
        ).clamp_min(0)
        weights = torch.exp(-gap / sigma**2) * (gap < threshold**2)
        near = torch.zeros_like(weights).scatter(2, index, weights.gather(2, index))
        variation = (x - near @ x / weights.sum(dim=2, keepdim=True)).square().sum(dim=-1)
    count = min(num_select, x.shape[1])
    return variation.topk(count).indices, variation.topk(count, largest=False).indices


class ComplementaryAttention(nn.Module):
    r"""``x + BN(linear(attention))`` of all points to few, without softmax:
    :math:`\theta(x)\,\phi(y)^T g(y) / M`.

    The product is computed from the right: the same result for N C^2 operations instead of N M C.

    Args:
        channels: C; the attention has half of it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.g = Linear(channels, inner)
        self.theta = Linear(channels, inner)
        self.phi = Linear(channels, inner)
        self.w = LinearNormAct(inner, channels, act=None)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Map all points' features (B, N, C) and the chosen ones' (B, M, C) to (B, N, C)."""
        summary = self.phi(y).transpose(1, 2) @ self.g(y) / y.shape[1]
        return x + self.w(self.theta(x) @ summary)


class DisentangleBlock(nn.Module):
    """Local operator, then attention of all points to the sharp and to the gentle ones, then a
    layer on both.

    Args:
        in_channels: C of the features.
        out_channels: C of the output.
        num_neighbors: As in :class:`LocalOperator`.
        num_select: As in :func:`disentangle`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, num_neighbors: int, num_select: int
    ) -> None:
        super().__init__()
        self.num_select = num_select
        self.local = LocalOperator(in_channels, out_channels, num_neighbors)
        self.sharp = ComplementaryAttention(out_channels)
        self.gentle = ComplementaryAttention(out_channels)
        self.fuse = LinearNormAct(2 * out_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, in_channels) to (B, N, out_channels)."""
        x = self.local(x)
        sharp, gentle = (group(x, index) for index in disentangle(x, self.num_select))
        return self.fuse(torch.cat([self.sharp(x, sharp), self.gentle(x, gentle)], dim=-1))


@BACKBONES.register_module()
class GDANet(BaseModule):
    """GDANet (Xu et al., AAAI 2021): points of sharp and gentle variation, and attention of all
    points to either.

    From the paper: the disentanglement by a graph high-pass filter, its parameters, the two
    attentions, two such blocks and a third of the local operator only, ModelNet40 93.4 % (93.8 %
    voted), 0.93 M parameters. From the authors' code (mutianxu/GDANet): the widths, 30 neighbours
    in feature space, which features are concatenated, the pooling (maximum and mean), biases
    everywhere, and the order of the sums in :func:`disentangle`. With that code's head for 40
    classes 936,616 parameters. Initial weights are Xavier normal with biases 0, as its training
    script sets them.

    ``stages`` of the output: each block's output (B, C_i, N). ``point_feats`` (B, out_channels / 2,
    N) are the features before pooling, one per input point.

    Any N: a cloud with fewer points than are to be selected selects all. Memory grows with N^2.
    Training needs more than one row for BatchNorm.

    Args:
        in_channels: Channels of the points, xyz first; all are features.
        channels: Width per block; the last block has no disentanglement.
        num_neighbors: Neighbours of the local operators.
        num_select: Points of sharp, and of gentle, variation.
        embed_channels: Width before pooling.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: Sequence[int] = (64, 64, 128),
        num_neighbors: int = 30,
        num_select: int = 256,
        embed_channels: int = 512,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = check_in_channels(in_channels, 'GDANet')
        width, self.blocks = in_channels, nn.ModuleList()
        for channel in channels[:-1]:
            self.blocks.append(DisentangleBlock(width, channel, num_neighbors, num_select))
            width += channel
        self.blocks.append(
            nn.Sequential(
                LocalOperator(width, channels[-1], num_neighbors),
                LinearNormAct(channels[-1], channels[-1]),
            )
        )
        self.embedding = LinearNormAct(sum(channels), embed_channels)
        self.out_channels = 2 * embed_channels
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, _ = split_points(points, self.in_channels, 'GDANet')
        x, outputs = points, []
        for block in self.blocks:
            outputs.append(block(x))
            x = torch.cat([x, outputs[-1]], dim=-1)
        features = self.embedding(torch.cat(outputs, dim=-1))
        return PointFeatures(
            max_mean_pool(features),
            features.transpose(1, 2),
            coords,
            tuple(output.transpose(1, 2) for output in outputs),
        )
