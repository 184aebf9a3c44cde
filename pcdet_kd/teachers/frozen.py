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
