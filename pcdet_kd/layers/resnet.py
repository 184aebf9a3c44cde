"""ResNet trunks (He et al., CVPR 2016) with torchvision's layout and state-dict names."""

import os

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights, weights_of


class Conv1x1(nn.Conv2d):
    """A 1x1 convolution without bias.

    Its weight's gradient has the strides of the weight whatever the memory format of the images,
    which DistributedDataParallel asks for: where height and width are 1, a convolution's own
    gradient may have others. A stride is taken by leaving out pixels first: oneDNN's own backward
    pass of a strided 1x1 convolution writes past the end of its memory with fewer than 8 channels
    in and channels-last images, on processors without AVX-512. Convolutions of 3x3 and 7x7 do not,
    with groups or without (1 to 12 channels, torch 2.13).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        rows, columns = self.stride
        return F.conv2d(images[:, :, ::rows, ::columns], self.weight.flatten(1)[:, :, None, None])


class Conv3x3(nn.Conv2d):
    """A 3x3 convolution without bias and with one pixel of padding.

    With a stride, images one pixel wide get a second column of zeros first, which changes no
    result: oneDNN's bfloat16 gradient of the weight otherwise reads past the end of each row, so
    that it may be NaN or infinite, on processors with AVX-512.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, 3, stride, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        if self.stride != (1, 1) and images.shape[3] == 1:
            images = F.pad(images, (0, 1))
        return super().forward(images)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut.

    Args:
        in_channels: Channels of the input.
        width: Channels of the convolutions.
        stride: Stride of the first convolution and of the shortcut.
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv3x3(in_channels, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = Conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, width, H / stride, W / stride)."""
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride) and 1x1 convolution and a shortcut.

    Args:
        in_channels: Channels of the input.
        width: Channels of the inner convolutions; the output has four times as many.
        stride: Stride of the 3x3 convolution and of the shortcut.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = Conv1x1(in_channels, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = Conv3x3(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = Conv1x1(width, out_channels)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 * width, H / stride, W / stride)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(out)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(Conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels))


DEPTHS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """A ResNet up to and including the global average pooling.

    Args:
        depth: 18, 34 or 50.
        in_channels: Channels of the images.
        base_width: Channels of the first stage's convolutions, doubled in each of the three others;
            64 as published.
        small_input: Start with a 3x3 convolution of stride 1 and no max pooling instead of 7x7,
            stride 2, and pooling: for images of about 64 pixels or less.
    """

    def __init__(
        self, depth: int = 18, in_channels: int = 3, base_width: int = 64, small_input: bool = False
    ) -> None:
        super().__init__()
        check_choice('depth', depth, DEPTHS)
        block, counts = DEPTHS[depth]
        self.depth = depth
        if small_input:
            self.conv1 = Conv3x3(in_channels, base_width)
        else:
            self.conv1 = nn.Conv2d(in_channels, base_width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(base_width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small_input else nn.MaxPool2d(3, 2, 1)
        channels = base_width
        for stage, count in enumerate(counts):
            blocks = []
            for i in range(count):
                width = base_width * 2**stage
                blocks.append(block(channels, width, stride=2 if stage and not i else 1))
                channels = width * block.expansion
            self.add_module(f'layer{stage + 1}', nn.Sequential(*blocks))
        self.out_channels = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels)."""
        x = self.conv1(images)
        if x.device.type == 'cpu':
            # as oneDNN computes: 10 to 25 % of a training step
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.maxpool(self.relu(self.bn1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=(2, 3))


def load_torchvision_weights(trunk: ResNet, path_or_url: str | os.PathLike) -> None:
    """Read ImageNet weights in torchvision's file format; only the classifier's ``fc.*`` may be
    left over.

    Raises:
        CheckpointError: The file is missing or damaged, or belongs to another network; the trunk is
            then unchanged.
    """
    source = os.fspath(path_or_url)
    weights = weights_of(load_checkpoint_file(path_or_url), source)
    given = {name: value for name, value in weights.items() if not name.startswith('fc.')}
    for name, value in trunk.state_dict().items():
        if name.endswith('num_batches_tracked'):
            given.setdefault(
                name, value
            )  # not in files older than PyTorch 0.4.1; counts steps, changes no result
    load_weights(
        trunk,
        given,
        source=f'{source} (for a ResNet-{trunk.depth} with base width {trunk.bn1.num_features})',
    )
