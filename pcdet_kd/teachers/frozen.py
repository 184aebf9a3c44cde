"""Frozen models: as a teacher, and as a helper that gradients pass through."""

import torch
from torch import Tensor

from pcdet_kd.registry import MODELS, TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers.base import Frozen, Teacher


@TEACHERS.register_module()
class FrozenTeacher(Frozen, Teacher):
    """A trained classifier as a teacher, run on the student's (augmented) inputs.

    Its own preprocessor runs on those inputs, so that a multi-view teacher draws its views from the
    student's points.

    Args:
        model: Config of the classifier.
        checkpoint: File of its weights, or ``'stage:NAME'``.
        prefix: Use only the keys of the file that start with this.
    """

    @property
    def feat_channels(self) -> int | None:
        """Width of the feature; None where the model's head does not tell."""
        return getattr(getattr(self._held[0], 'head', None), 'feat_channels', None)

    @property
    def input_key(self) -> str | None:
        """Which input the model looks at, None where it does not tell."""
        return getattr(self._held[0], 'input_key', None)

    @torch.no_grad()
    def forward(self, inputs: dict, data_samples: list) -> ModelOutput:
        """Return logits, feature and stages, detached."""
        own = self.model.data_preprocessor(dict(inputs=dict(inputs), data_samples=None), False)
        return self.model(own['inputs'], data_samples, mode='tensor')


@MODELS.register_module()
class FrozenGenerator(Frozen):
    """A trained point generator as a helper: frozen, and differentiable in the feature that it
    decodes.

    Args:
        model: Config of the :class:`PointGenerator`, without teacher and loss.
        checkpoint: File of its weights, or ``'stage:NAME'``.
        prefix: Use only the keys of the file that start with this.
    """

    def decode(self, feature: Tensor) -> Tensor:
        """Return (B, num_points, 3) for a feature (B, in_channels)."""
        return self.model.decode(feature)


@MODELS.register_module()
class FrozenClassifier(Frozen):
    """The last layer of a trained classifier as a helper: frozen, and differentiable in the feature
    that it classifies.

    Args:
        model: Config of the :class:`PointClassifier`.
        checkpoint: File of its weights, or ``'stage:NAME'``.
        prefix: Use only the keys of the file that start with this.
    """

    @property
    def in_channels(self) -> int:
        """Width of the feature that it classifies."""
        return self._held[0].head.feat_channels

    def classify(self, feature: Tensor) -> Tensor:
        """Return logits (B, K) for a feature (B, in_channels)."""
        return self.model.head.classify(feature)


@MODELS.register_module()
class FrozenEncoder(Frozen):
    """The encoder of a trained :class:`FactorAutoEncoder` as a helper, frozen.

    Args:
        model: Config of the auto-encoder, without teacher.
        checkpoint: File of its weights, or ``'stage:NAME'``.
        prefix: Use only the keys of the file that start with this.
    """

    @property
    def in_channels(self) -> int:
        """Width of the feature that it encodes."""
        return self._held[0].in_channels

    @property
    def out_channels(self) -> int:
        """Width of the factor."""
        return self._held[0].factor_channels

    def encode(self, feature: Tensor) -> Tensor:
        """Return the factor (B, out_channels) of a feature (B, in_channels)."""
        return self.model.encode(feature)
