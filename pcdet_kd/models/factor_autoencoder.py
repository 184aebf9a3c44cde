"""The auto-encoder of a teacher's feature: step 1 of IE-KD."""

from itertools import pairwise
from typing import Any

from mmengine.model import BaseModel, BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import Linear, at_least_float32
from pcdet_kd.registry import MODELS, TEACHERS
from pcdet_kd.structures import PointDataSample


def _layers(*widths: int) -> nn.Sequential:
    parts = []
    for width_in, width_out in pairwise(widths):
        parts += [
            Linear(width_in, width_out, bias=False),
            nn.BatchNorm1d(width_out),
            nn.LeakyReLU(0.1),
        ]
    return nn.Sequential(*parts)


@MODELS.register_module()
class FactorEncoder(BaseModule):
    """From a feature to its factor: three linear layers without bias, each with BatchNorm and
    LeakyReLU(0.1); the second one changes the width (IE-KD, Huang et al., CVPR 2021, with linear
    layers in place of 3x3 convolutions).

    Args:
        in_channels: Channels of the feature.
        out_channels: Channels of the factor.
        init_cfg: As in MMEngine.
    """

    def __init__(self, in_channels: int, out_channels: int, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.layers = _layers(in_channels, in_channels, out_channels, out_channels)

    def forward(self, feature: Tensor) -> Tensor:
        """Map (B, in_channels) to (B, out_channels)."""
        return self.layers(feature)


@MODELS.register_module()
class FactorAutoEncoder(BaseModel):
    """An encoder of the teacher's feature, trained with a mirrored decoder to give it back (step 1
    of IE-KD; Huang et al., CVPR 2021). Step 2 freezes it, and uses the encoder.

    The loss is the mean absolute difference.

    Args:
        in_channels: Channels of the teacher's feature.
        factor_channels: Channels of the factor; None: half of them, as published.
        teacher: Config of the frozen teacher or its feature bank. Not needed to encode.
        data_preprocessor: Config of the preprocessor.
        init_cfg: As in MMEngine.

    Raises:
        ValueError: The teacher's feature has another width.
    """

    def __init__(
        self,
        in_channels: int = 512,
        factor_channels: int | None = None,
        teacher: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            MODELS.build(data_preprocessor or dict(type='PointDataPreprocessor')), init_cfg
        )
        self.in_channels = in_channels
        self.factor_channels = in_channels // 2 if factor_channels is None else factor_channels
        self.encoder = FactorEncoder(in_channels, self.factor_channels)
        factor = self.factor_channels
        self.decoder = _layers(factor, factor, in_channels, in_channels)
        self.teacher = TEACHERS.build(teacher) if teacher else None
        width = getattr(self.teacher, 'feat_channels', None)
        if width not in (None, in_channels):
            raise ValueError(
                f'FactorAutoEncoder: in_channels is {in_channels}, the feature of the teacher has '
                f'{width} channels: set in_channels={width}'
            )

    def encode(self, feature: Tensor) -> Tensor:
        """Return the factor (B, factor_channels) of a feature (B, in_channels)."""
        return self.encoder(feature)

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[PointDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Encode and decode the teacher's features of a batch.

        Args:
            inputs: What the teacher looks at.
            data_samples: One per cloud.
            mode: ``tensor`` returns the decoded features (B, in_channels), ``loss`` the loss,
                ``predict`` the samples with ``l1`` (1,), the mean absolute difference.
        """
        if self.teacher is None:
            raise ValueError(
                'FactorAutoEncoder has no teacher to take features from: set teacher=dict(...)'
            )
        feature = self.teacher(inputs, data_samples).feat
        decoded = self.decoder(self.encoder(feature))
        if mode == 'tensor':
            return decoded
        errors = (at_least_float32(decoded) - at_least_float32(feature)).abs().mean(1)
        if mode == 'loss':
            return dict(loss_l1=errors.mean())
        for sample, error in zip(data_samples, errors):
            sample.set_field(error[None], 'l1', dtype=Tensor)
        return data_samples
