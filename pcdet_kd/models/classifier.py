"""A classifier: a backbone and a head."""

from typing import Any

from mmengine.model import BaseModel
from torch import Tensor

from pcdet_kd.registry import BACKBONES, HEADS, MODELS
from pcdet_kd.structures import ModelOutput, PointDataSample, PointFeatures


@MODELS.register_module()
class PointClassifier(BaseModel):
    """A point-cloud (or multi-view) classifier.

    Args:
        backbone: Config of a backbone.
        head: Config of a head; its ``in_channels`` may be left out and is then the backbone's
            ``out_channels``.
        input_key: Which input the backbone sees: ``'points'``, or ``'views'`` for a multi-view
            image network.
        data_preprocessor: Config of the preprocessor; its ``num_classes`` is the head's unless
            given.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        input_key: str = 'points',
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = dict(data_preprocessor or dict(type='PointDataPreprocessor'))
        if preprocessor.get('batch_augments'):
            preprocessor.setdefault('num_classes', head['num_classes'])
        super().__init__(MODELS.build(preprocessor), init_cfg)
        self.backbone = BACKBONES.build(backbone)
        self.head = HEADS.build({'in_channels': self.backbone.out_channels, **head})
        self.input_key = input_key

    def extract(self, inputs: dict[str, Tensor]) -> tuple[PointFeatures, ModelOutput]:
        """Return the backbone's features and the model's output."""
        if self.input_key not in inputs:
            raise KeyError(
                f"the model looks at inputs['{self.input_key}'], the batch has {sorted(inputs)}. "
                'Name it in PackPointInputs(keys=...) or let data_preprocessor draw it'
            )
        features = self.backbone(inputs[self.input_key])
        feat = self.head.feature(features.global_feat)
        return features, ModelOutput(self.head.classify(feat), feat, features.stages)

    def losses(
        self, features: PointFeatures, out: ModelOutput, data_samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        """Return the head's losses and the backbone's own, such as PointNet's orthogonality
        term.
        """
        losses = self.head.loss(out.logits, data_samples)
        if hasattr(self.backbone, 'auxiliary_losses'):
            losses.update(self.backbone.auxiliary_losses(features))
        return losses

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[PointDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the model.

        Args:
            inputs: Batched tensors by name.
            data_samples: One per cloud; needed in modes ``loss`` and ``predict``.
            mode: ``tensor`` returns a :class:`ModelOutput`, ``loss`` a dict of losses, ``predict``
                the data samples with predictions.
        """
        features, out = self.extract(inputs)
        if mode == 'tensor':
            return out
        if mode == 'loss':
            return self.losses(features, out, data_samples)
        if mode == 'predict':
            return self.head.predict(out.logits, data_samples)
        raise ValueError(f"mode is '{mode}', must be 'tensor', 'loss' or 'predict'")
