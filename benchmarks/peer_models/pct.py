"""PCT with its grouped tensors and matrices of attention, as in its PyTorch port."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Head, Usual, conv1d


class LocalOp(nn.Module):
    """Two 1-D convolutions over (B * S, C, k) and the maximum over k: (B, S, k, C) -> (B, C, S)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (
            conv1d(channels, channels, nn.ReLU()),
            conv1d(channels, channels, nn.ReLU()),
        )

    def forward(self, grouped: Tensor) -> Tensor:
        batch, count, k, channels = grouped.shape
        x = self.conv2(self.conv1(grouped.permute(0, 1, 3, 2).reshape(-1, channels, k)))
        return F.adaptive_max_pool1d(x, 1).view(batch, count, -1).permute(0, 2, 1)


class OffsetAttention(nn.Module):
    """Offset attention; one weight makes queries and keys."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.q_conv = nn.Conv1d(channels, channels // 4, 1, bias=False)
        self.k_conv = nn.Conv1d(channels, channels // 4, 1, bias=False)
        self.k_conv.weight = self.q_conv.weight
        self.v_conv, self.trans_conv = (
            nn.Conv1d(channels, channels, 1),
            nn.Conv1d(channels, channels, 1),
        )
        self.after_norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        energy = torch.bmm(self.q_conv(x).permute(0, 2, 1), self.k_conv(x))
        attention = energy.softmax(dim=-1)
        attention = attention / (1e-9 + attention.sum(dim=1, keepdim=True))
        offset = x - torch.bmm(self.v_conv(x), attention)
        return x + F.relu(self.after_norm(self.trans_conv(offset)))


class PCT(nn.Module):
    """PCT with sampling and grouping."""

    def __init__(
        self,
        num_classes: int = 40,
        embed_channels: int = 64,
        channels: Sequence[int] = (128, 256),
        num_points: Sequence[int] = (512, 256),
        num_neighbors: int = 32,
        num_attentions: int = 4,
        out_channels: int = 1024,
    ) -> None:
        super().__init__()
        self.num_points, self.k = num_points, num_neighbors
        width = channels[-1]
        self.embedding = nn.Sequential(
            conv1d(3, embed_channels, nn.ReLU()), conv1d(embed_channels, embed_channels, nn.ReLU())
        )
        self.local_ops = nn.ModuleList(LocalOp(channel) for channel in channels)
        self.pre = nn.Sequential(conv1d(width, width, nn.ReLU()), conv1d(width, width, nn.ReLU()))
        self.attentions = nn.ModuleList(OffsetAttention(width) for _ in range(num_attentions))
        self.fuse = conv1d((num_attentions + 1) * width, out_channels, nn.LeakyReLU(0.2))
        self.head = Head(out_channels, num_classes, bias=(False, True), leaky=True)

    def group(self, coords: Tensor, features: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return the centres (B, S, 3) and [x_j - x_i, x_i] of their neighbours (B, S, k, 2C)."""
        chosen = peers.farthest_point_sample(coords, count)
        centres, anchor = peers.index_points(coords, chosen), peers.index_points(features, chosen)
        index = peers.square_distance(centres, coords).topk(
            self.k, dim=-1, largest=False, sorted=False
        )[1]
        offset = peers.index_points(features, index) - anchor[:, :, None]
        return centres, torch.cat([offset, anchor[:, :, None].repeat(1, 1, self.k, 1)], dim=-1)

    def forward(self, points: Tensor) -> Tensor:
        coords, features = points, self.embedding(points.permute(0, 2, 1))
        for count, local_op in zip(self.num_points, self.local_ops):
            coords, grouped = self.group(coords, features.permute(0, 2, 1), count)
            features = local_op(grouped)
        x, outputs = self.pre(features), []
        for attention in self.attentions:
            x = attention(x)
            outputs.append(x)
        x = self.fuse(torch.cat([*outputs, features], dim=1))
        return self.head(F.adaptive_max_pool1d(x, 1).squeeze(-1))


_TINY = dict(
    embed_channels=8,
    channels=(16, 32),
    num_points=(32, 16),
    num_neighbors=4,
    num_attentions=2,
    out_channels=32,
)
USUAL = {'pct': Usual(PCT, {}, _TINY, _TINY)}
