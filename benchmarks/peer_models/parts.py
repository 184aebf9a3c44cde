"""Layers that the usual implementations share, channel-first."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn


class Usual(NamedTuple):
    """A network as usually implemented, and which of our models it is.

    Attributes:
        network: Its class; called with ``settings`` it is the full-size network, of 40 classes
            unless they say otherwise.
        settings: What the full-size network is built with.
        tiny: Settings of a tiny one, for tests.
        ours: Settings of our backbone in the same tiny network, beyond those of the full-size one.
        arch: The published keys (a name of ``pcdet-kd from-official``) that its state dict has, and
            by whose rules its weights become ours. Empty: its parameters and buffers lie in the
            order of ours.
    """

    network: type[nn.Module]
    settings: dict[str, Any]
    tiny: dict[str, Any]
    ours: dict[str, Any]
    arch: str = ''


def conv2d(in_channels: int, out_channels: int, act: nn.Module) -> list[nn.Module]:
    """A 1x1 convolution over (B, C, S, k) with BatchNorm and activation."""
    return [nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels), act]


def conv1d(in_channels: int, out_channels: int, *act: nn.Module) -> nn.Sequential:
    """A 1x1 convolution over (B, C, N) with BatchNorm and, if given, an activation."""
    return nn.Sequential(
        nn.Conv1d(in_channels, out_channels, 1, bias=False), nn.BatchNorm1d(out_channels), *act
    )


class Head(nn.Module):
    """Linear, BatchNorm, activation and dropout, twice, and a linear layer."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        hidden: Sequence[int] = (512, 256),
        bias: Sequence[bool] = (True, True),
        leaky: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, with_bias in zip(hidden, bias):
            act = nn.LeakyReLU(0.2) if leaky else nn.ReLU()
            layers += [
                nn.Linear(in_channels, width, bias=with_bias),
                nn.BatchNorm1d(width),
                act,
                nn.Dropout(dropout),
            ]
            in_channels = width
        self.layers = nn.Sequential(*layers, nn.Linear(in_channels, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
