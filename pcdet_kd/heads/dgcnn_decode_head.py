"""DGCNN's decoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pcdet_kd.heads.decode_head import DecodeHead
from pcdet_kd.layers import MLP, JoinedLinear, LinearNormAct, per_layer
from pcdet_kd.registry import DECODE_HEADS
from pcdet_kd.structures import PointFeatures


@DECODE_HEADS.register_module()
class DGCNNDecodeHead(DecodeHead):
    """A shared MLP on each point's features of all levels, the global feature and the embedded
    class (Wang et al., TOG 2019), for a backbone whose levels are all at the input points.

    Layers as in the part segmentation of dgcnn.pytorch: class to 64; 256, 256 and 128 channels with
    dropout after the first two; no biases. The encoder there is another one (a spatial transformer,
    five convolutions in three EdgeConvs, the maximum alone as global feature); with the
    classification encoder, 16 classes and 50 parts this one has 1,396,736 parameters.

    Args:
        class_channels: Width of the embedded class.
        hidden_channels: Widths of the hidden layers.
        dropout: After hidden layers; one value, or one per layer.
        options: Arguments of :class:`DecodeHead`.
    """

    def __init__(
        self,
        class_channels: int = 64,
        hidden_channels: Sequence[int] = (256, 256, 128),
        dropout: float | Sequence[float] = (0.5, 0.5, 0.0),
        **options: object,
    ) -> None:
        super().__init__(**options)
        style = dict(act='leaky_relu', bias=False)
        first, *drops = per_layer('dropout', dropout, len(hidden_channels))
        self.embed_class = LinearNormAct(self.num_classes, class_channels, **style)
        self.join = JoinedLinear(
            sum(self.level_channels),
            self.global_channels + class_channels,
            hidden_channels[0],
            dropout=first,
            **style,
        )
        self.hidden = MLP(hidden_channels, dropout=drops, **style)
        self.fc = nn.Linear(hidden_channels[-1], self.num_parts, bias=False)

    def forward(self, points: Tensor, features: PointFeatures, category: Tensor) -> Tensor:
        """Map (B, N, C), features and classes (B,) to logits (B, N, num_parts)."""
        own = torch.cat([level.feats for level in features.levels], dim=-1)
        shared = [features.global_feat, self.embed_class(self.one_hot(category))]
        return self.fc(self.hidden(self.join(own, torch.cat(shared, dim=-1))))
