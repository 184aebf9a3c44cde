"""PointMLP's decoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pcdet_kd.heads.decode_head import DecodeHead
from pcdet_kd.layers import MLP, JoinedLinear, LinearNormAct, ResidualMLP, max_pool
from pcdet_kd.registry import DECODE_HEADS
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_one_per


class _Propagation(nn.Module):
    """Join finer and coarser features, then residual MLPs."""

    def __init__(
        self, own: int, other: int, width: int, blocks: int, ratio: float, bias: bool
    ) -> None:
        super().__init__()
        self.join = JoinedLinear(own, other, width, bias=bias)
        self.blocks = nn.Sequential(*(ResidualMLP(width, ratio, bias) for _ in range(blocks)))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.blocks(self.join(*inputs))


@DECODE_HEADS.register_module()
class PointMLPDecodeHead(DecodeHead):
    """Residual feature propagation from the coarsest level to the points, with a context of the
    maxima of all levels and the embedded class (Ma et al., ICLR 2022).

    Layers as in the part segmentation of pointMLP-pytorch: propagations of 512, 256, 128 and 128
    channels with four residual MLPs each; the maxima and the class in 64 channels each; a hidden
    layer of 128 with BatchNorm and dropout but no activation; biases everywhere. The encoder there
    also groups by coordinates, sees normals, has biases and keeps a quarter of the points per
    stage; with the classification encoder, 16 classes and 50 parts this one has 16,732,274
    parameters.

    Args:
        channels: Width of each propagation, the coarsest first: one fewer than the backbone has
            levels.
        blocks: Residual MLPs of each.
        ratio: Width inside a residual MLP as a multiple of the propagation's.
        context_channels: Width of the maxima and of their summary.
        class_channels: Width of the embedded class.
        hidden_channels: Width of the hidden layer.
        dropout: After it.
        bias: Whether layers that are followed by BatchNorm have a bias.
        options: Arguments of :class:`DecodeHead`.
    """

    def __init__(
        self,
        channels: Sequence[int] = (512, 256, 128, 128),
        blocks: Sequence[int] = (4, 4, 4, 4),
        ratio: float = 1.0,
        context_channels: int = 64,
        class_channels: int = 64,
        hidden_channels: int = 128,
        dropout: float = 0.5,
        bias: bool = True,
        **options: object,
    ) -> None:
        super().__init__(**options)
        coarsest, *coarse_first = self.level_channels[::-1]
        check_one_per(
            type(self).__name__,
            'level but the coarsest',
            channels=channels,
            blocks=blocks,
            level_channels=coarse_first,
        )
        self.propagations = nn.ModuleList(
            _Propagation(own, other, width, number, ratio, bias)
            for own, other, width, number in zip(
                coarse_first, (coarsest, *channels), channels, blocks
            )
        )
        self.embed_class = MLP([self.num_classes, class_channels, class_channels], bias=bias)
        self.summaries = nn.ModuleList(
            LinearNormAct(width, context_channels, bias=bias) for width in self.level_channels
        )
        total = context_channels * len(self.level_channels)
        self.context = LinearNormAct(total, context_channels, bias=bias)
        self.hidden = JoinedLinear(
            channels[-1],
            context_channels + class_channels,
            hidden_channels,
            act=None,
            bias=bias,
            dropout=dropout,
        )
        self.fc = nn.Linear(hidden_channels, self.num_parts)

    def forward(self, points: Tensor, features: PointFeatures, category: Tensor) -> Tensor:
        """Map (B, N, C), features and classes (B,) to logits (B, N, num_parts)."""
        levels = features.levels
        x, where = levels[-1].feats, levels[-1].coords
        for level, propagate in zip(levels[-2::-1], self.propagations):
            x = propagate(level.feats, x, level.coords, where)
            where = level.coords
        maxima = [
            max_pool(summarise(level.feats), dim=1)
            for level, summarise in zip(levels, self.summaries)
        ]
        shared = [self.context(torch.cat(maxima, -1)), self.embed_class(self.one_hot(category))]
        return self.fc(self.hidden(x, torch.cat(shared, dim=-1)))
