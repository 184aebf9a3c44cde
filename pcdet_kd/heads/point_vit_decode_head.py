"""The decoder of point transformers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pcdet_kd.heads.decode_head import DecodeHead
from pcdet_kd.layers import MLP, FeaturePropagation, JoinedLinear, LinearNormAct, max_pool
from pcdet_kd.registry import DECODE_HEADS
from pcdet_kd.structures import PointFeatures


@DECODE_HEADS.register_module()
class PointViTDecodeHead(DecodeHead):
    """Tokens of three depths, interpolated to the points, beside their maximum and mean and the
    embedded class (Point-MAE, Pang et al., ECCV 2022), for a backbone whose levels are all at the
    same centres.

    Layers as in the part segmentation of Point-MAE's code: propagation of 1,536 and 1,024 channels
    that also sees the coordinates; class to 64; hidden layers of 512, with dropout, and 256. With
    the encoder of preset ``point_mae`` without class token, 16 classes and 50 parts 27,063,730
    parameters, of which the encoder has 21,825,024.

    Args:
        propagation: Widths of the propagation.
        class_channels: Width of the embedded class.
        hidden_channels: Widths of the hidden layers.
        dropout: After the first of them.
        options: Arguments of :class:`DecodeHead`.
    """

    def __init__(
        self,
        propagation: Sequence[int] = (1536, 1024),
        class_channels: int = 64,
        hidden_channels: Sequence[int] = (512, 256),
        dropout: float = 0.5,
        **options: object,
    ) -> None:
        super().__init__(**options)
        width = sum(self.level_channels)
        self.embed_class = LinearNormAct(
            self.num_classes, class_channels, act='leaky_relu', bias=False
        )
        self.propagation = FeaturePropagation(3, width, propagation, bias=True)
        self.join = JoinedLinear(
            propagation[-1], 2 * width + class_channels, hidden_channels[0], dropout=dropout
        )
        self.hidden = MLP(hidden_channels)
        self.fc = nn.Linear(hidden_channels[-1], self.num_parts)

    def forward(self, points: Tensor, features: PointFeatures, category: Tensor) -> Tensor:
        """Map (B, N, C), features and classes (B,) to logits (B, N, num_parts)."""
        tokens = torch.cat([level.feats for level in features.levels], dim=-1)
        coords = points[..., :3]
        x = self.propagation(coords, tokens, coords, features.levels[-1].coords)
        kind = self.embed_class(self.one_hot(category))
        shared = torch.cat([max_pool(tokens, dim=1), tokens.mean(dim=1), kind], dim=-1)
        return self.fc(self.hidden(self.join(x, shared)))
