"""CurveNet: curves that walk through a point cloud."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers import (
    LinearNormAct,
    at_least_float32,
    check_in_channels,
    edge_linear,
    max_mean_pool,
    max_pool,
    split_points,
)
from pcdet_kd.ops import ball_query, farthest_point_sample, group, knn
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_choice, check_one_per


class LocalAggregation(nn.Module):
    """LPFA of the paper: features of neighbours relative to the point's, plus an embedding of where
    they are.

    The embedding is a bias-free linear layer and BatchNorm on [p_i, p_j, p_j - p_i]; then
    LeakyReLU, one layer, and the mean.

    Args:
        channels: C of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.place = LinearNormAct(9, channels, act=None, bias=False)
        self.mlp = LinearNormAct(channels, channels, act='leaky_relu', bias=False)

    def forward(self, coords: Tensor, x: Tensor, index: Tensor) -> Tensor:
        """Map (B, N, 3), (B, N, C) and neighbours (B, N, k) to (B, N, C)."""
        place = self.place.finish(_position_edges(self.place.linear.weight, coords, index))
        edges = F.leaky_relu(group(x, index) - x.unsqueeze(2) + place, 0.2)
        return self.mlp(edges).mean(dim=2)


def _position_edges(weight: Tensor, points: Tensor, index: Tensor) -> Tensor:
    """Apply a weight for [p_i, p_j, p_j - p_i, further channels of j] to the edges of points (B, N,
    C).
    """
    own, other, offset, extra = weight.split([3, 3, 3, weight.shape[1] - 9], dim=1)
    return edge_linear(
        points, points[..., :3], index, torch.cat([other + offset, extra], dim=1), own - offset
    )


class CurveGrouping(nn.Module):
    """Start curves where a learned score is highest, and let each step to the neighbour with the
    highest score.

    A step's choice is a softmax over the k neighbours of a score of [neighbour, curve so far], made
    one-hot with the gradient of the softmax ("straight through"; no random numbers, in the code and
    here). The curve so far is a learned mixture of itself and the last point. From the second step
    the score is damped for neighbours that lie backwards in feature space: times 1 + cosine of the
    last step and the next, at most 1.

    Args:
        channels: C of the features.
        num_curves: Curves; a smaller cloud starts one at each point.
        length: Steps, at least 2.
        momentum: As in :class:`CurveNet`.
    """

    def __init__(
        self, channels: int, num_curves: int, length: int, momentum: str = 'paper'
    ) -> None:
        super().__init__()
        check_choice('momentum', momentum, ('paper', 'released'))
        if length < 2:
            raise ValueError(f'length is {length}, curves need at least 2 steps')
        self.num_curves = num_curves
        self.length = length
        self.released = momentum == 'released'
        self.start = nn.Linear(channels, 1, bias=False)
        self.agent = LinearNormAct(2 * channels, 1, act=None, bias=False)
        self.momentum = LinearNormAct(2 * channels, 2, act=None, bias=False)

    def forward(self, x: Tensor, neighbors: Tensor) -> Tensor:
        """Map features (B, N, C) and neighbours (B, N, k), the point itself not among them, to
        curves (B, n, length, C).
        """
        attention = self.start(x).sigmoid()
        x = at_least_float32(x * attention)
        current = attention.squeeze(-1).topk(min(self.num_curves, x.shape[1])).indices
        of_next, of_curve = self.agent.linear.weight.chunk(2, dim=1)
        suits = F.linear(x, of_next)
        so_far, state, curve = group(x, current), None, []
        for step in range(self.length):
            if step:
                so_far = self._mix(state, so_far)
            options = group(neighbors, current)
            values = group(x, options)
            score = group(suits, options) + F.linear(so_far, of_curve).unsqueeze(2)
            score = at_least_float32(self.agent.finish(score)).squeeze(-1)
            if step:
                score = score * self._forwards(
                    (state - so_far).detach(), (values - state.unsqueeze(2)).detach()
                )
            soft = score.softmax(dim=-1)
            place = score.argmax(dim=-1, keepdim=True)
            choice = torch.zeros_like(soft).scatter(2, place, 1.0) - soft.detach() + soft
            state = (values * choice.unsqueeze(-1)).sum(dim=2)
            current = options.gather(2, place).squeeze(-1)
            curve.append(state)
        return torch.stack(curve, dim=2)

    def _mix(self, state: Tensor, so_far: Tensor) -> Tensor:
        share = self.momentum(torch.cat([state, so_far], dim=-1)).softmax(dim=-1)
        if self.released:
            share = share.transpose(1, 2).reshape(share.shape)
        return share[..., :1] * state + share[..., 1:] * so_far

    @staticmethod
    def _forwards(last: Tensor, options: Tensor) -> Tensor:
        """Return 1 + cosine of (B, n, C) with (B, n, k, C), cut to [0, 1]."""
        dot = (options @ last.unsqueeze(-1)).squeeze(-1)
        norm = options.norm(dim=-1) * last.norm(dim=-1, keepdim=True)
        return (1 + dot / norm.clamp_min(1e-8)).clamp(0, 1)


class CurveAggregation(nn.Module):
    """Let every point look at the curves (one feature per curve) and at their steps (one feature
    per step).

    Args:
        channels: C; the attentions have half of it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.weight = nn.Linear(channels, 1, bias=False)
        self.to_curve = nn.Linear(channels, inner, bias=False)
        self.to_step = nn.Linear(channels, inner, bias=False)
        self.query = nn.Linear(channels, inner, bias=False)
        self.curve_value = nn.Linear(inner, inner, bias=False)
        self.step_value = nn.Linear(inner, inner, bias=False)
        self.fuse = LinearNormAct(2 * inner, channels, act=None, bias=False)

    def forward(self, x: Tensor, curves: Tensor) -> Tensor:
        """Map (B, N, C) and curves (B, n, length, C) to (B, N, C)."""
        weight, query = self.weight(curves), self.query(x)
        seen = []
        for dim, key, value in (
            (2, self.to_curve, self.curve_value),
            (1, self.to_step, self.step_value),
        ):
            tokens = key((curves * weight.softmax(dim=dim)).sum(dim=dim))
            seen.append((query @ tokens.transpose(1, 2)).softmax(dim=-1) @ value(tokens))
        return F.leaky_relu(x + self.fuse(torch.cat(seen, dim=-1)), 0.2)


class CurveBlock(nn.Module):
    """CIC of the paper: sample if needed, then a bottleneck with curves (if any) and
    :class:`LocalAggregation`, residual.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        ratio: Width inside is ``in_channels / ratio``.
        num_points: Points kept; a smaller cloud keeps all.
        radius: Of the balls whose maximum a kept point takes, where points are left out.
        num_neighbors: k, the point itself included; and points in a ball.
        curves: Number and length of curves, or None.
        momentum: As in :class:`CurveNet`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        ratio: int,
        num_points: int,
        radius: float,
        num_neighbors: int,
        curves: Sequence[int] | None,
        momentum: str = 'paper',
    ) -> None:
        super().__init__()
        inner = in_channels // ratio
        self.num_points = num_points
        self.radius = radius
        self.num_neighbors = num_neighbors
        self.reduce = LinearNormAct(in_channels, inner, act='leaky_relu', bias=False)
        self.grouping = CurveGrouping(inner, *curves, momentum) if curves else None
        self.aggregation = CurveAggregation(inner) if curves else None
        self.local = LocalAggregation(inner)
        self.expand = LinearNormAct(inner, out_channels, act=None, bias=False)
        same = in_channels == out_channels
        self.shortcut = (
            None if same else LinearNormAct(in_channels, out_channels, act=None, bias=False)
        )

    def forward(
        self, coords: Tensor, x: Tensor, index: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, N, 3), (B, N, in_channels) and the points' k + 1 nearest, if known, to those of
        the output.
        """
        if coords.shape[1] > self.num_points:
            centres = group(coords, farthest_point_sample(coords, self.num_points))
            x = max_pool(
                group(x, ball_query(centres, coords, self.radius, self.num_neighbors)), dim=2
            )
            coords, index = centres, None
        if index is None:
            index = knn(coords, coords, min(self.num_neighbors + 1, coords.shape[1]))
        y = self.reduce(x)
        if self.grouping is not None:
            others = index[..., 1:] if index.shape[2] > 1 else index
            y = self.aggregation(y, self.grouping(y, others))
        y = self.expand(self.local(coords, y, index[..., : self.num_neighbors]))
        x = x if self.shortcut is None else self.shortcut(x)
        return coords, F.leaky_relu(x + y, 0.2), index


@BACKBONES.register_module()
class CurveNet(BaseModule):
    """CurveNet (Xiang et al., ICCV 2021): curves walk through the cloud, and their features are
    added to those of all points.

    From the paper: curve grouping with dynamic momentum and crossover suppression, curve
    aggregation, 100 curves of 5 steps in the first four blocks, ModelNet40 93.8 % (94.2 % voted),
    2.04 M parameters (in units of 2^20). From the authors' code (tiangexiang/CurveNet,
    classification): widths, bottleneck ratios 2 and 4 in turn, k = 20, points, radii (several
    versions of the code differ; these are the most spread), the choice without Gumbel noise,
    maximum and mean pooled. With that code's head for 40 classes 2,140,672 parameters. For
    ``in_channels`` above 3, which the authors do not have, the further channels of a neighbour are
    added to the first layer.

    ``stages`` of the output: the features after each pair of blocks (B, C_i, M_i). ``point_feats``
    (B, out_channels / 2, M) are those before pooling, at ``coords`` (B, M, 3).

    Any N: a cloud smaller than a stage's points keeps all (the code would repeat points). The order
    of points decides which neighbours a full ball keeps. Training needs more than one row for
    BatchNorm.

    Args:
        in_channels: Channels of the points, xyz first.
        embed_channels: Width of the first layer.
        channels: Width per pair of blocks.
        num_points: Points per pair.
        radii: Radius per pair; it matters only where points are left out.
        num_neighbors: k.
        curves: Number and length of curves per pair, or None for no curves.
        out_channels: Width of the global feature, half maximum and half mean.
        momentum: ``'paper'``: a curve's two weights are its own. ``'released'``: as in the authors'
            code, which views (2, n) as (n, 2) without a transposition and so gives curve i weights
            of the curves 2i and 2i + 1 (modulo n); weights trained there need it. Curves are in the
            order of their scores here, in that of an unsorted top-k there.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        embed_channels: int = 32,
        channels: Sequence[int] = (64, 128, 256, 512),
        num_points: Sequence[int] = (1024, 1024, 256, 64),
        radii: Sequence[float] = (0.05, 0.05, 0.1, 0.2),
        num_neighbors: int = 20,
        curves: Sequence[Sequence[int] | None] = ((100, 5), (100, 5), None, None),
        out_channels: int = 2048,
        momentum: str = 'paper',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_one_per(
            'CurveNet',
            'pair of blocks',
            channels=channels,
            num_points=num_points,
            radii=radii,
            curves=curves,
        )
        self.in_channels = check_in_channels(in_channels, 'CurveNet')
        self.num_neighbors = num_neighbors
        self.embedding = LinearNormAct(
            in_channels + 6, embed_channels, act='leaky_relu', bias=False
        )
        widths = pairwise([embed_channels, *channels])
        self.stages = nn.ModuleList(
            nn.ModuleList(
                [
                    CurveBlock(before, width, 2, count, radius, num_neighbors, curve, momentum),
                    CurveBlock(width, width, 4, count, radius, num_neighbors, curve, momentum),
                ]
            )
            for (before, width), count, radius, curve in zip(widths, num_points, radii, curves)
        )
        self.fuse = LinearNormAct(channels[-1], out_channels // 2, bias=False)
        self.out_channels = out_channels

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, _ = split_points(points, self.in_channels, 'CurveNet')
        index = knn(coords, coords, min(self.num_neighbors + 1, coords.shape[1]))
        edges = _position_edges(
            self.embedding.linear.weight, points, index[..., : self.num_neighbors]
        )
        x, stages = max_pool(self.embedding.finish(edges), dim=2), []
        for stage in self.stages:
            for block in stage:
                coords, x, index = block(coords, x, index)
            stages.append(x.transpose(1, 2))
        fused = self.fuse(x)
        return PointFeatures(max_mean_pool(fused), fused.transpose(1, 2), coords, tuple(stages))
