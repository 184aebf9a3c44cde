"""CurveNet channel-first, its curves walked one step after the other over a tensor of all
candidates.
"""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Head, Usual, conv1d, conv2d


def _places(coords: Tensor, index: Tensor) -> Tensor:
    """[p_i, p_j, p_j - p_i]: (B, N, 3), (B, N, k) -> (B, 9, N, k)."""
    neighbours = peers.index_points(coords, index)
    centres = coords[:, :, None].expand_as(neighbours)
    return (
        torch.cat([centres, neighbours, neighbours - centres], dim=-1)
        .permute(0, 3, 1, 2)
        .contiguous()
    )


class LocalAggregation(nn.Module):
    """Features relative to the point's, plus an embedding of where the neighbours are; one layer
    and the mean.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.place = nn.Sequential(nn.Conv2d(9, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.mlp = nn.Sequential(*conv2d(channels, channels, nn.LeakyReLU(0.2)))

    def forward(self, coords: Tensor, x: Tensor, index: Tensor) -> Tensor:
        neighbours = peers.index_points(x.transpose(1, 2).contiguous(), index).permute(0, 3, 1, 2)
        edges = F.leaky_relu(neighbours - x[..., None] + self.place(_places(coords, index)), 0.2)
        return self.mlp(edges).mean(-1)


class CurveGrouping(nn.Module):
    """Curves from the points of the highest score, as (B, C, curves, steps)."""

    def __init__(self, channels: int, curves: int, steps: int, released: bool) -> None:
        super().__init__()
        self.curves, self.steps, self.released = curves, steps, released
        self.start = nn.Conv1d(channels, 1, 1, bias=False)
        self.agent = nn.Sequential(nn.Conv2d(2 * channels, 1, 1, bias=False), nn.BatchNorm2d(1))
        self.momentum = nn.Sequential(nn.Conv1d(2 * channels, 2, 1, bias=False), nn.BatchNorm1d(2))

    def mixture(self, last: Tensor, curve: Tensor) -> Tensor:
        """The next state of the curves, from (B, C, curves, 1) of their last points and states."""
        weight = F.softmax(
            self.momentum(torch.cat([last.squeeze(-1), curve.squeeze(-1)], dim=1)), dim=1
        )
        # As released: viewed without a transposition, which mixes the weights of different curves
        weight = (
            weight.view(len(weight), 1, -1, 2) if self.released else weight.transpose(1, 2)[:, None]
        )
        return (torch.cat([last, curve], dim=-1) * weight).sum(-1, keepdim=True)

    @staticmethod
    def suppression(direction: Tensor, step: Tensor) -> Tensor:
        """1 + cosine, at most 1, of (B, C, curves, 1) and (B, C, curves, k): (B, 1, curves, k),
        without gradients.
        """
        direction, step = direction.detach(), step.detach()
        norms = direction.norm(dim=1, keepdim=True) * step.norm(dim=1, keepdim=True)
        return (1 + (direction * step).sum(1, keepdim=True) / norms.clamp(min=1e-8)).clamp(0, 1)

    def forward(self, x: Tensor, neighbours: Tensor) -> Tensor:
        score = torch.sigmoid(self.start(x))
        points = (x * score).transpose(1, 2).contiguous()
        current = score.squeeze(1).topk(self.curves, dim=1)[1]  # (B, curves)
        curve = peers.index_points(points, current).transpose(1, 2)[..., None]
        path: list[Tensor] = []
        for _ in range(self.steps):
            if path:
                curve = self.mixture(path[-1], curve)
            candidates = peers.index_points(neighbours, current)  # (B, curves, k)
            values = peers.index_points(points, candidates).permute(0, 3, 1, 2)
            logits = self.agent(torch.cat([values, curve.expand_as(values)], dim=1))
            if path:
                logits = logits * self.suppression(path[-1] - curve, values - path[-1])
            soft = F.softmax(logits, dim=-1)
            hard = torch.zeros_like(soft).scatter_(-1, soft.max(-1, keepdim=True)[1], 1)
            choice = (hard - soft).detach() + soft
            path.append((values * choice).sum(-1, keepdim=True))
            current = candidates.gather(2, choice.argmax(-1).transpose(1, 2)).squeeze(2)
        return torch.cat(path, dim=-1)


class CurveAggregation(nn.Module):
    """Attention of the points to the curves (one token each) and to the steps (one token each)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = channels // 2
        self.along = nn.Conv2d(channels, 1, 1, bias=False)
        self.to_curves, self.to_steps, self.query = (
            nn.Conv1d(channels, middle, 1, bias=False) for _ in range(3)
        )
        self.curve_values, self.step_values = (
            nn.Conv1d(middle, middle, 1, bias=False) for _ in range(2)
        )
        self.fuse = conv1d(2 * middle, channels)

    def forward(self, x: Tensor, curves: Tensor) -> Tensor:
        scores, query, answers = self.along(curves), self.query(x).transpose(1, 2), []
        for dim, tokens_of, values_of in (
            (3, self.to_curves, self.curve_values),
            (2, self.to_steps, self.step_values),
        ):
            tokens = tokens_of((curves * scores.softmax(dim)).sum(dim))
            attention = torch.bmm(query, tokens).softmax(-1)
            answers.append(torch.bmm(attention, values_of(tokens).transpose(1, 2)))
        return F.leaky_relu(x + self.fuse(torch.cat(answers, dim=-1).transpose(1, 2)), 0.2)


class Block(nn.Module):
    """A bottleneck with curves and LocalAggregation, of fewer points where ``num_points`` says
    so.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        ratio: int,
        num_points: int,
        radius: float,
        k: int,
        curves: Sequence[int] | None,
        released: bool,
    ) -> None:
        super().__init__()
        self.num_points, self.radius, self.k = num_points, radius, k
        inner = in_channels // ratio
        self.reduce = conv1d(in_channels, inner, nn.LeakyReLU(0.2))
        if curves is not None:
            self.grouping, self.aggregation = (
                CurveGrouping(inner, *curves, released),
                CurveAggregation(inner),
            )
        self.with_curves = curves is not None
        self.local = LocalAggregation(inner)
        self.expand = conv1d(inner, out_channels)
        self.shortcut = (
            nn.Identity() if in_channels == out_channels else conv1d(in_channels, out_channels)
        )

    def forward(self, coords: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        if coords.shape[1] != self.num_points:
            centres = peers.index_points(
                coords, peers.farthest_point_sample(coords, self.num_points)
            )
            index = peers.ball_query(centres, coords, self.radius, self.k)
            grouped = (
                peers.index_points(x.transpose(1, 2).contiguous(), index)
                .permute(0, 3, 1, 2)
                .contiguous()
            )
            coords, x = centres, F.max_pool2d(grouped, kernel_size=(1, self.k)).squeeze(-1)
        out = self.reduce(x)
        index = peers.knn_dgcnn(coords, self.k + 1)
        if self.with_curves:
            out = self.aggregation(out, self.grouping(out, index[:, :, 1:]))
        out = self.expand(self.local(coords, out, index[:, :, : self.k]))
        return coords, F.leaky_relu(out + self.shortcut(x), 0.2)


class CurveNet(nn.Module):
    """CurveNet channel-first, its curves walked one step after the other over a tensor of all
    candidates.
    """

    def __init__(
        self,
        num_classes: int = 40,
        embed_channels: int = 32,
        channels: Sequence[int] = (64, 128, 256, 512),
        num_points: Sequence[int] = (1024, 1024, 256, 64),
        radii: Sequence[float] = (0.05, 0.05, 0.1, 0.2),
        num_neighbors: int = 20,
        curves: Sequence[Sequence[int] | None] = ((100, 5), (100, 5), None, None),
        out_channels: int = 2048,
        hidden: int = 512,
        released: bool = False,
    ) -> None:
        super().__init__()
        self.k = num_neighbors
        self.initial = nn.Sequential(*conv2d(9, embed_channels, nn.LeakyReLU(0.2)))
        blocks, width = [], embed_channels
        for channel, *rest in zip(channels, num_points, radii, curves):
            count, radius, walk = rest
            for ratio in (2, 4):
                blocks.append(
                    Block(width, channel, ratio, count, radius, num_neighbors, walk, released)
                )
                width = channel
        self.blocks = nn.ModuleList(blocks)
        self.conv0 = conv1d(width, out_channels // 2, nn.ReLU())
        self.head = Head(out_channels, num_classes, hidden=(hidden,), bias=(False,))

    def forward(self, points: Tensor) -> Tensor:
        coords = points
        index = peers.knn_dgcnn(points, self.k + 1)[:, :, : self.k]
        x = self.initial(_places(points, index)).max(-1)[0]
        for block in self.blocks:
            coords, x = block(coords, x)
        x = self.conv0(x)
        return self.head(
            torch.cat([F.adaptive_max_pool1d(x, 1), F.adaptive_avg_pool1d(x, 1)], dim=1).squeeze(-1)
        )


_TINY = dict(
    embed_channels=8,
    channels=(16, 16, 32),
    num_points=(64, 16, 8),
    radii=(0.2, 0.2, 0.7),
    num_neighbors=6,
    curves=((8, 4), (5, 3), None),
    out_channels=32,
)
USUAL = {'curvenet': Usual(CurveNet, {}, _TINY, _TINY)}
