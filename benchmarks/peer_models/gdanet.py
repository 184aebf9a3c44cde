"""GDANet with its tensors of all edges and its matrices of all pairs."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Head, Usual


def _disentangle(
    x: Tensor, count: int, k: int = 64, tau: float = 0.2, sigma: float = 2
) -> tuple[Tensor, Tensor]:
    """Features (B, C, count) of the points that vary most, and of those that vary least, against
    their neighbours.
    """
    points = x.transpose(1, 2).contiguous()
    square = (points**2).sum(-1)
    negative = 2 * torch.matmul(points, x) - square[:, :, None] - square[:, None, :]
    index = negative.topk(k, dim=-1)[1][:, :, 1:]  # without the point itself
    weight = (negative.abs().sqrt() < tau).to(x.dtype) * torch.exp(negative / (sigma * sigma))
    adjacency = torch.matmul(torch.diag_embed(1 / weight.sum(1)), weight)
    smooth = (adjacency.gather(2, index)[..., None] * peers.index_points(points, index)).sum(2)
    variation = torch.norm(points - smooth, dim=-1).pow(2)
    return tuple(
        peers.index_points(points, (sign * variation).topk(count, dim=-1)[1]).transpose(1, 2)
        for sign in (1, -1)
    )


def _block(
    conv: type[nn.Module], norm: type[nn.Module], in_channels: int, out_channels: int
) -> nn.Sequential:
    return nn.Sequential(conv(in_channels, out_channels, 1), norm(out_channels))


class SGCAM(nn.Module):
    """Attention of all points to some, without softmax, through a norm, added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.g, self.theta, self.phi = (nn.Conv1d(channels, channels // 2, 1) for _ in range(3))
        self.W = _block(nn.Conv1d, nn.BatchNorm1d, channels // 2, channels)

    def forward(self, x: Tensor, few: Tensor) -> Tensor:
        value = self.g(few).permute(0, 2, 1)
        pairs = torch.matmul(self.theta(x).permute(0, 2, 1), self.phi(few))
        y = torch.matmul(pairs / pairs.shape[-1], value).permute(0, 2, 1).contiguous()
        return self.W(y) + x


class Local(nn.Module):
    """Two layers on [x_j - x_i, x_j] and the maximum over the neighbours."""

    def __init__(self, in_channels: int, out_channels: int, k: int) -> None:
        super().__init__()
        self.k = k
        self.conv1 = _block(nn.Conv2d, nn.BatchNorm2d, 2 * in_channels, out_channels)
        self.conv2 = _block(nn.Conv2d, nn.BatchNorm2d, out_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        points = x.transpose(1, 2).contiguous()
        neighbours = peers.index_points(points, peers.knn_dgcnn(points, self.k))
        centre = points[:, :, None].repeat(1, 1, self.k, 1)
        edges = torch.cat([neighbours - centre, neighbours], dim=-1).permute(0, 3, 1, 2)
        return F.relu(self.conv2(F.relu(self.conv1(edges)))).max(dim=-1)[0]


class GDANet(nn.Module):
    """GDANet with its tensors of all edges and its matrices of all pairs."""

    def __init__(
        self,
        num_classes: int = 40,
        channels: Sequence[int] = (64, 64, 128),
        num_neighbors: int = 30,
        num_select: int = 256,
        embed_channels: int = 512,
    ) -> None:
        super().__init__()
        self.num_select = num_select
        width, blocks = 3, []
        for channel in channels[:-1]:
            blocks.append(
                nn.ModuleDict(
                    dict(
                        local=Local(width, channel, num_neighbors),
                        sharp=SGCAM(channel),
                        gentle=SGCAM(channel),
                        fuse=_block(nn.Conv1d, nn.BatchNorm1d, 2 * channel, channel),
                    )
                )
            )
            width += channel
        blocks.append(
            nn.ModuleDict(
                dict(
                    local=Local(width, channels[-1], num_neighbors),
                    fuse=_block(nn.Conv1d, nn.BatchNorm1d, channels[-1], channels[-1]),
                )
            )
        )
        self.blocks = nn.ModuleList(blocks)
        self.conv4 = _block(nn.Conv1d, nn.BatchNorm1d, sum(channels), embed_channels)
        self.head = Head(2 * embed_channels, num_classes, dropout=0.4)

    def forward(self, points: Tensor) -> Tensor:
        so_far, outputs = points.transpose(1, 2).contiguous(), []
        for block in self.blocks:
            x = block['local'](so_far)
            if 'sharp' in block:
                sharp, gentle = _disentangle(x, self.num_select)
                x = torch.cat([block['sharp'](x, sharp), block['gentle'](x, gentle)], dim=1)
            outputs.append(F.relu(block['fuse'](x)))
            so_far = torch.cat([so_far, outputs[-1]], dim=1)
        x = F.relu(self.conv4(torch.cat(outputs, dim=1)))
        pooled = [F.adaptive_max_pool1d(x, 1).squeeze(-1), F.adaptive_avg_pool1d(x, 1).squeeze(-1)]
        return self.head(torch.cat(pooled, dim=1))


_TINY = dict(channels=(8, 8, 16), num_neighbors=5, num_select=12, embed_channels=16)
USUAL = {'gdanet': Usual(GDANet, {}, _TINY, _TINY)}
