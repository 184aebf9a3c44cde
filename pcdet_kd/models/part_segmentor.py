"""A part segmentor: a backbone and a decode head."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from pcdet_kd.registry import BACKBONES, DECODE_HEADS, MODELS
from pcdet_kd.structures import ModelOutput, PointDataSample


@MODELS.register_module()
class PartSegmentor(BaseModel):
    """Gives each point of a cloud of a known class one of the parts of that class.

    The class is an input, as published networks have it: ``inputs['category']`` (B,), or else the
    samples' ``gt_label``.

    Args:
        backbone: Config of a backbone with ``levels``.
        decode_head: Config of a decode head; the widths of the backbone and the numbers of parts
            and classes are filled in.
        class_parts: For each class the parts that it has, numbers from 0 on. A config takes it from
            the data set's ``metainfo``.
        data_preprocessor: Config of the preprocessor.
        init_cfg: As in MMEngine.

    Raises:
        ValueError: The backbone has no levels, or ``class_parts`` is missing or has gaps.
    """

    input_key = 'points'

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        class_parts: Sequence[Sequence[int]] | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='PointDataPreprocessor')
        super().__init__(MODELS.build(preprocessor), init_cfg)
        self.class_parts = tuple(tuple(parts) for parts in class_parts or ())
        numbers = sorted({part for parts in self.class_parts for part in parts})
        if numbers != list(range(len(numbers))) or not all(self.class_parts) or not numbers:
            raise ValueError(
                f'class_parts is {class_parts}: give for each class its parts, numbered from 0 '
                "without gaps; a data set for part segmentation has it in metainfo['class_parts']"
            )
        self.backbone = BACKBONES.build(backbone)
        if not getattr(self.backbone, 'level_channels', ()):
            raise ValueError(
                f'{type(self.backbone).__name__} has no levels to decode: take a backbone with '
                'level_channels, such as PointNet2MSG, DGCNN, PointMLP or PointViT'
            )
        self.decode_head = DECODE_HEADS.build(
            dict(
                num_parts=len(numbers),
                num_classes=len(self.class_parts),
                level_channels=self.backbone.level_channels,
                global_channels=self.backbone.out_channels,
                **decode_head,
            )
        )

    def category(
        self, inputs: dict[str, Tensor], data_samples: Sequence[PointDataSample] | None
    ) -> Tensor:
        """Return the class (B,) int64 of each cloud.

        Raises:
            ValueError: It is not known.
        """
        if 'category' in inputs:
            return inputs['category'].long()
        if not data_samples or any('gt_label' not in sample for sample in data_samples):
            raise ValueError(
                "a part segmentor needs the class of each cloud: inputs['category'] (B,), or "
                'gt_label in every data sample'
            )
        labels = torch.cat([sample.gt_label for sample in data_samples])
        return labels.to(inputs['points'].device)

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[PointDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the model.

        Args:
            inputs: ``points`` (B, N, C), and ``category`` (B,) if there are no samples with a
                label.
            data_samples: One per cloud; needed in mode ``loss``.
            mode: ``tensor`` returns a :class:`ModelOutput`, ``loss`` a dict of losses, ``predict``
                copies of the data samples with ``part_score`` and ``pred_parts``.
        """
        points, category = inputs['points'], self.category(inputs, data_samples)
        features = self.backbone(points)
        logits = self.decode_head(points, features, category)
        if mode == 'tensor':
            return ModelOutput(logits, features.global_feat, features.stages)
        if mode == 'loss':
            losses = self.decode_head.loss(logits, data_samples)
            if hasattr(self.backbone, 'auxiliary_losses'):
                losses.update(self.backbone.auxiliary_losses(features))
            return losses
        if mode == 'predict':
            return self.decode_head.predict(logits, data_samples, self.class_parts, category)
        raise ValueError(f"mode is '{mode}', must be 'tensor', 'loss' or 'predict'")
