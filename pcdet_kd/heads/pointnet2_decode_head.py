"""PointNet++'s decoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pcdet_kd.heads.decode_head import DecodeHead
from pcdet_kd.layers import MLP, FeaturePropagation
from pcdet_kd.registry import DECODE_HEADS
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_one_per


@DECODE_HEADS.register_module()
class PointNet2DecodeHead(DecodeHead):
    """Feature propagation from the global feature back through all levels to the points (Qi et al.,
    NeurIPS 2017).

    The finest propagation also sees the cloud's class (one-hot) and the channels of the points; a
    hidden layer and a linear one follow. For a backbone whose finest level is the points
    themselves: :class:`~pcdet_kd.backbones.PointNet2MSG` and ``PointNet2SSG``.

    With the classification encoder of PointNet++ MSG, 16 classes and 50 parts 1,808,018 parameters.
    The reference segmentor (yanx27) has another encoder: 320 and 512 channels, coordinates again as
    features, biases everywhere; 1,740,958 parameters, or 1,741,822 with normals.

    Args:
        propagations: Widths of each propagation, from the global feature on: as many as the
            backbone has levels.
        hidden_channels: Widths of the hidden layers.
        dropout: After each hidden layer.
        bias: Whether layers that are followed by BatchNorm have a bias.
        compat: As in :func:`pcdet_kd.ops.three_interpolate`.
        options: Arguments of :class:`DecodeHead`.
    """

    def __init__(
        self,
        propagations: Sequence[Sequence[int]] = ((256, 256), (256, 128), (128, 128)),
        hidden_channels: Sequence[int] = (128,),
        dropout: float = 0.5,
        bias: bool = False,
        compat: str | None = None,
        **options: object,
    ) -> None:
        super().__init__(**options)
        coarse_first = self.level_channels[::-1]
        check_one_per(
            type(self).__name__, 'level', propagations=propagations, level_channels=coarse_first
        )
        width = self.global_channels
        self.propagations = nn.ModuleList()
        for i, (own, widths) in enumerate(zip(coarse_first, propagations)):
            own += self.num_classes if i == len(propagations) - 1 else 0
            self.propagations.append(FeaturePropagation(own, width, widths, bias, compat))
            width = self.propagations[-1].out_channels
        self.hidden = MLP([width, *hidden_channels], bias=bias, dropout=dropout)
        self.fc = nn.Linear(self.hidden.out_channels, self.num_parts)

    def forward(self, points: Tensor, features: PointFeatures, category: Tensor) -> Tensor:
        """Map (B, N, C), features and classes (B,) to logits (B, N, num_parts)."""
        x, where = features.global_feat, None
        kinds = self.one_hot(category)[:, None].expand(-1, points.shape[1], -1)
        for i, propagate in enumerate(self.propagations):
            level = features.levels[-1 - i]
            own = level.feats
            if i == len(self.propagations) - 1:
                own = torch.cat([kinds, own], dim=-1)
            x = propagate(own, x, level.coords, where)
            where = level.coords
        return self.fc(self.hidden(x))
