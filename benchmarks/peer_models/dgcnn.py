"""DGCNN with its tensors of all edges."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Head, Usual, conv1d, conv2d


class DGCNN(nn.Module):
    """DGCNN with its tensors of all edges."""

    def __init__(self, num_classes: int = 40, channels: Sequence[int] = (64, 64, 128, 256), embed_channels: int = 1024,
                 num_neighbors: int = 20) -> None:
        super().__init__()
        self.k = num_neighbors
        widths = (3, *channels)
        self.convs = nn.ModuleList(nn.Sequential(*conv2d(2 * a, b, nn.LeakyReLU(0.2))) for a, b in zip(widths, channels))
        self.embedding = conv1d(sum(channels), embed_channels, nn.LeakyReLU(0.2))
        self.head = Head(2 * embed_channels, num_classes, bias=(False, True), leaky=True)

    def forward(self, points: Tensor) -> Tensor:
        x, outputs = points, []
        for conv in self.convs:
            edges = peers.edge_features(x, peers.knn_dgcnn(x, self.k))
            out = conv(edges).max(dim=-1)[0]
            outputs.append(out)
            x = out.transpose(1, 2).contiguous()
        x = self.embedding(torch.cat(outputs, dim=1))
        return self.head(torch.cat([F.adaptive_max_pool1d(x, 1).squeeze(-1), F.adaptive_avg_pool1d(x, 1).squeeze(-1)], dim=1))


_TINY = dict(channels=(8, 8), embed_channels=32, num_neighbors=4)
USUAL = {'dgcnn': Usual(DGCNN, {}, _TINY, _TINY)}
