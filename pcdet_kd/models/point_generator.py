"""The cross-modal point generator (CMPG) of PointCMT: from an image feature to a point cloud."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from pcdet_kd.losses.functional import scale_to_box
from pcdet_kd.ops import earth_mover_distance
from pcdet_kd.registry import LOSSES, MODELS, TEACHERS
from pcdet_kd.structures import PointDataSample
from pcdet_kd.utils.arguments import from_preset

PRESETS = {
    'released': dict(hidden_channels=(), dropout=0.5, bias=False),
    'paper': dict(hidden_channels=(1024, 2048), dropout=0.0, bias=True),
}


@MODELS.register_module()
class PointGenerator(BaseModel):
    """Decode a global feature into a point cloud; stage II of PointCMT (Yan et al., NeurIPS 2022).

    The image teacher is frozen; the generator learns to turn its feature into the sample's points.
    In stage III it is frozen in turn and decodes both the image's and the point student's feature.

    ``preset='released'`` is the released code: dropout 0.5 and one linear layer without bias
    (1,572,864 parameters for 512 channels and 1,024 points; the published 94.6 % on ModelNet40
    belongs to it). ``preset='paper'`` is the three-layer MLP of the text (the published 94.4 %);
    the paper gives no widths, ``hidden_channels`` is our choice. Under a normalisation that takes
    scale out, the bias-free linear form sees only the direction of the feature.

    Args:
        in_channels: Channels of the feature.
        num_points: Points to generate.
        preset: ``'released'`` or ``'paper'``; the next three arguments override its values.
        hidden_channels: Widths of the hidden layers, each followed by ReLU.
        dropout: Dropout probability on the feature.
        bias: Whether linear layers have a bias.
        teacher: Config of the frozen image teacher or its feature bank. Not needed to decode.
        loss: Config of the loss between generated and true points, called with ``student_points``
            and ``teacher_points``.
        data_preprocessor: Config of the preprocessor.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 512,
        num_points: int = 1024,
        preset: str = 'released',
        hidden_channels: Sequence[int] | None = None,
        dropout: float | None = None,
        bias: bool | None = None,
        teacher: dict | None = None,
        loss: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            MODELS.build(data_preprocessor or dict(type='PointDataPreprocessor')), init_cfg
        )
        chosen = from_preset(
            'preset',
            preset,
            PRESETS,
            hidden_channels=hidden_channels,
            dropout=dropout,
            bias=bias,
        )
        self.in_channels = in_channels
        self.num_points = num_points
        widths = [in_channels, *chosen['hidden_channels'], 3 * num_points]
        layers = [nn.Dropout(chosen['dropout'])] if chosen['dropout'] else []
        for i, (width_in, width_out) in enumerate(pairwise(widths)):
            if i:
                layers.append(nn.ReLU(inplace=True))
            layers.append(nn.Linear(width_in, width_out, bias=chosen['bias']))
        self.decoder = nn.Sequential(*layers)
        self.teacher = TEACHERS.build(teacher) if teacher else None
        self.loss = LOSSES.build(loss) if loss else None

    def decode(self, feature: Tensor) -> Tensor:
        """Return (B, num_points, 3) for a feature (B, in_channels)."""
        if feature.shape[-1] != self.in_channels:
            raise ValueError(
                f'the generator decodes features of {self.in_channels} channels, got '
                f'{tuple(feature.shape)}'
            )
        return self.decoder(feature).unflatten(-1, (self.num_points, 3))

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[PointDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Generate the clouds of a batch.

        Args:
            inputs: Needs ``points`` (B, num_points, 3+) in modes ``loss`` and ``predict``, and what
                the teacher looks at.
            data_samples: One per cloud.
            mode: ``tensor`` returns the points (B, num_points, 3), ``loss`` the loss, ``predict``
                the samples with ``emd`` (1,): the mean distance of optimally matched points, in the
                unit of the input or, if the loss scales clouds to a box first, of that box.
        """
        if self.teacher is None:
            raise ValueError(
                'PointGenerator has no teacher to take image features from: set teacher=dict(...)'
            )
        generated = self.decode(self.teacher(inputs, data_samples).feat)
        if mode == 'tensor':
            return generated
        target = inputs['points'][..., :3]
        if mode == 'loss':
            if self.loss is None:
                raise ValueError(
                    "PointGenerator has no loss to train with: set loss=dict(type='EarthMoverLoss')"
                )
            return dict(loss_emd=self.loss(student_points=generated, teacher_points=target))
        with torch.no_grad():
            variant = getattr(self.loss, 'normalize', None)
            # a generator that was trained without regard to scale and position is judged without it
            if variant:
                generated, target = scale_to_box(generated, variant), scale_to_box(target, variant)
            distances = earth_mover_distance(generated, target)
        for sample, distance in zip(data_samples, distances):
            sample.set_field(distance[None], 'emd', dtype=Tensor)
        return data_samples
