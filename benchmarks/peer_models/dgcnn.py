"""DGCNN with its tensors of all edges, under the names of its PyTorch code (antao97)."""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Usual


class DGCNN(nn.Module):
    """DGCNN; every BatchNorm of a convolution has two names, its own and that in the convolution's
    ``nn.Sequential``.
    """

    def __init__(
        self,
        num_classes: int = 40,
        channels: Sequence[int] = (64, 64, 128, 256),
        embed_channels: int = 1024,
        num_neighbors: int = 20,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.k = num_neighbors
        widths = (3, *channels)
        for i, (a, b) in enumerate(zip(widths, channels), 1):
            norm = nn.BatchNorm2d(b)
            setattr(self, f'bn{i}', norm)
            setattr(
                self,
                f'conv{i}',
                nn.Sequential(nn.Conv2d(2 * a, b, 1, bias=False), norm, nn.LeakyReLU(0.2)),
            )
        self.bn5 = nn.BatchNorm1d(embed_channels)
        self.conv5 = nn.Sequential(
            nn.Conv1d(sum(channels), embed_channels, 1, bias=False), self.bn5, nn.LeakyReLU(0.2)
        )
        self.linear1 = nn.Linear(2 * embed_channels, 512, bias=False)
        self.bn6, self.dp1 = nn.BatchNorm1d(512), nn.Dropout(dropout)
        self.linear2 = nn.Linear(512, 256)
        self.bn7, self.dp2 = nn.BatchNorm1d(256), nn.Dropout(dropout)
        self.linear3 = nn.Linear(256, num_classes)

    def forward(self, points: Tensor) -> Tensor:
        x, outputs = points, []
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            edges = peers.edge_features(x, peers.knn_dgcnn(x, self.k))
            out = conv(edges).max(dim=-1)[0]
            outputs.append(out)
            x = out.transpose(1, 2).contiguous()
        x = self.conv5(torch.cat(outputs, dim=1))
        x = torch.cat(
            [F.adaptive_max_pool1d(x, 1).squeeze(-1), F.adaptive_avg_pool1d(x, 1).squeeze(-1)],
            dim=1,
        )
        x = self.dp1(F.leaky_relu(self.bn6(self.linear1(x)), 0.2))
        x = self.dp2(F.leaky_relu(self.bn7(self.linear2(x)), 0.2))
        return self.linear3(x)


_TINY = dict(channels=(8, 8, 8, 16), embed_channels=32, num_neighbors=4)
_DGCNN = Usual(DGCNN, {}, _TINY, _TINY, arch='dgcnn_cls')
USUAL, OFFICIAL = {'dgcnn': _DGCNN}, {'dgcnn_cls': _DGCNN}
