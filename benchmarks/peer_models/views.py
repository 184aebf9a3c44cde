"""SimpleView and MVCNN: a ResNet-18 on every view."""

import peers_projection
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Usual


class BasicBlock(nn.Module):
    """ResNet's block of two 3x3 convolutions."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        else:
            self.downsample = None

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


def resnet18_stages(width: int) -> list[nn.Module]:
    """The four stages of a ResNet-18, twice as wide from one to the next."""
    stages, channels = [], width
    for i in range(4):
        stages.append(
            nn.Sequential(
                BasicBlock(channels, width * 2**i, 1 if i == 0 else 2),
                BasicBlock(width * 2**i, width * 2**i, 1),
            )
        )
        channels = width * 2**i
    return stages


class BatchNormPoint(nn.Module):
    """BatchNorm over clouds and views: (B, V, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, views, channels = x.shape
        return self.bn(x.view(batch * views, channels)).view(batch, views, channels)


class FinalFC(nn.Module):
    """SimpleView's head, which joins the views."""

    def __init__(self, num_views: int, in_channels: int, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.num_views = num_views
        # dropout comes before the views are joined, so that each drops features of its own
        self.model = nn.Sequential(
            BatchNormPoint(in_channels),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(num_views * in_channels, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x.view(-1, self.num_views, x.shape[-1]))


class SimpleView(nn.Module):
    """SimpleView: six depth images, a narrow ResNet-18 with a 3x3 stem and without max pooling."""

    def __init__(
        self, num_classes: int = 40, width: int = 16, image_size: int = 128, hidden: int = 128
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.img_model = nn.Sequential(
            nn.Conv2d(1, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            *resnet18_stages(width),
            nn.AdaptiveAvgPool2d((1, 1)),
            nn.Flatten(),
        )
        self.final_fc = FinalFC(6, width * 8, hidden, num_classes)

    def forward(self, points: Tensor) -> Tensor:
        images = peers_projection.simpleview_project(points, self.image_size)
        return self.final_fc(self.img_model(images.flatten(0, 1)))


class MVCNN(nn.Module):
    """PointCMT's image network: torchvision's ResNet-18 per view, maximum over the views, one
    linear layer.
    """

    def __init__(self, num_classes: int = 40, width: int = 64, image_size: int = 0) -> None:
        super().__init__()
        self.image_size = image_size
        self.net = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, 3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
            *resnet18_stages(width),
            nn.AdaptiveAvgPool2d((1, 1)),
        )
        self.fc = nn.Sequential(nn.Linear(width * 8, num_classes))

    def forward(self, views: Tensor) -> Tensor:
        """Take views (B, V, 3, H, W), or with an image size clouds (B, N, 3) that it draws grey."""
        if self.image_size:
            views = peers_projection.simpleview_project(views, self.image_size).repeat(
                1, 1, 3, 1, 1
            )
        features = self.net(views.flatten(0, 1)).view(*views.shape[:2], -1)
        return self.fc(torch.max(features, dim=1)[0])


USUAL = {
    'simpleview': Usual(
        SimpleView,
        {},
        dict(width=4, image_size=32),
        dict(base_width=4, image_size=32),
        'simpleview',
    ),
    'mvcnn': Usual(
        MVCNN,
        dict(image_size=128),
        dict(width=4, image_size=64),
        dict(
            base_width=4, projection=dict(type='PerspectiveProjection', num_views=6, image_size=64)
        ),
        'pointcmt_mvcnn_resnet18',
    ),
}
OFFICIAL = {
    'simpleview': USUAL['simpleview'],
    'pointcmt_mvcnn_resnet18': Usual(
        MVCNN, {}, dict(width=4), dict(base_width=4), 'pointcmt_mvcnn_resnet18'
    ),
}
