"""PointNet as in its PyTorch ports (fxia22, yanx27), and with the paper's widths."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Usual


class TNet(nn.Module):
    """A small PointNet that predicts a square matrix, as its difference from the identity."""

    def __init__(
        self, size: int, mlp: Sequence[int] = (64, 128, 1024), fc: Sequence[int] = (512, 256)
    ) -> None:
        super().__init__()
        self.size = size
        widths = (*mlp, *fc)
        for i, (a, b) in enumerate(zip((size, *widths), widths), 1):
            if i <= 3:
                setattr(self, f'conv{i}', nn.Conv1d(a, b, 1))
            else:
                setattr(self, f'fc{i - 3}', nn.Linear(a, b))
            setattr(self, f'bn{i}', nn.BatchNorm1d(b))
        self.fc3 = nn.Linear(widths[-1], size * size)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.relu(self.bn3(self.conv3(x)))
        x = torch.max(x, 2)[0]
        x = F.relu(self.bn4(self.fc1(x)))
        x = F.relu(self.bn5(self.fc2(x)))
        x = self.fc3(x)
        identity = (
            torch.eye(self.size, dtype=x.dtype, device=x.device).view(1, -1).repeat(len(x), 1)
        )
        return (x + identity).view(-1, self.size, self.size)


class Encoder(nn.Module):
    """Transform, ``local`` layers, transform, ``after`` layers, maximum: numbered conv1, bn1, conv2
    … throughout.
    """

    def __init__(
        self,
        local: Sequence[int],
        after: Sequence[int],
        last_act: bool,
        transforms: bool,
        tnet: dict,
    ) -> None:
        super().__init__()
        self.num_local, self.num_layers, self.last_act = (
            len(local),
            len(local) + len(after),
            last_act,
        )
        self.stn = TNet(3, **tnet) if transforms else None
        widths = (*local, *after)
        for i, (a, b) in enumerate(zip((3, *widths), widths), 1):
            if i == self.num_local + 1:
                self.fstn = TNet(a, **tnet) if transforms else None
            setattr(self, f'conv{i}', nn.Conv1d(a, b, 1))
            setattr(self, f'bn{i}', nn.BatchNorm1d(b))

    def forward(self, x: Tensor) -> Tensor:
        if self.stn is not None:
            x = torch.bmm(x.transpose(2, 1), self.stn(x)).transpose(2, 1)
        for i in range(1, self.num_layers + 1):
            if i == self.num_local + 1 and self.fstn is not None:
                x = torch.bmm(x.transpose(2, 1), self.fstn(x)).transpose(2, 1)
            x = getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(x))
            if i < self.num_layers or self.last_act:
                x = F.relu(x)
        return torch.max(x, 2)[0]


class PointNet(nn.Module):
    """PointNet; the last hidden layer drops before its normalisation."""

    def __init__(
        self,
        num_classes: int = 40,
        local: Sequence[int] = (64,),
        after: Sequence[int] = (128, 1024),
        last_act: bool = False,
        transforms: bool = True,
        tnet: dict | None = None,
        hidden: Sequence[int] = (512, 256),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.feat = Encoder(local, after, last_act, transforms, tnet or {})
        widths = (after[-1], *hidden)
        self.num_hidden = len(hidden)
        for i, (a, b) in enumerate(zip(widths, hidden), 1):
            setattr(self, f'fc{i}', nn.Linear(a, b))
            setattr(self, f'bn{i}', nn.BatchNorm1d(b))
        setattr(self, f'fc{len(hidden) + 1}', nn.Linear(widths[-1], num_classes))
        self.dropout = nn.Dropout(dropout)

    def forward(self, points: Tensor) -> Tensor:
        x = self.feat(points.transpose(2, 1))
        for i in range(1, self.num_hidden + 1):
            x = getattr(self, f'fc{i}')(x)
            x = F.relu(getattr(self, f'bn{i}')(self.dropout(x) if i == self.num_hidden else x))
        return getattr(self, f'fc{self.num_hidden + 1}')(x)


_TNET = dict(mlp=(8, 8, 16), fc=(16, 8))
_OURS = dict(transform_mlp=(8, 8, 16), transform_fc=(16, 8))
_PORT = (
    dict(local=(8,), after=(8, 32), tnet=_TNET),
    dict(local_channels=(8,), global_channels=(8, 32), **_OURS),
)
USUAL = {
    'pointnet': Usual(
        PointNet,
        dict(local=(64, 64), after=(64, 128, 1024), last_act=True),
        dict(local=(8, 8), after=(8, 16, 32), tnet=_TNET),
        dict(local_channels=(8, 8), global_channels=(8, 16, 32), **_OURS),
    ),
    'pointnet_small': Usual(
        PointNet,
        dict(
            local=(64, 64),
            after=(128, 256),
            last_act=True,
            transforms=False,
            hidden=(128,),
            dropout=0.0,
        ),
        dict(local=(8, 8), after=(16, 32)),
        dict(local_channels=(8, 8), global_channels=(16, 32)),
    ),
}
OFFICIAL = {
    'pointnet_fxia22': Usual(PointNet, {}, *_PORT, arch='pointnet_fxia22'),
    'pointnet_yanx27': Usual(PointNet, dict(dropout=0.4), *_PORT, arch='pointnet_yanx27'),
}
