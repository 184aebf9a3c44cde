"""What backbones and models return."""

from typing import NamedTuple

from torch import Tensor


class Level(NamedTuple):
    """Features of points at one resolution.

    Attributes:
        coords: (B, M, 3) where the points are.
        feats: (B, M, C) their features, channels last.
    """

    coords: Tensor
    feats: Tensor


class PointFeatures(NamedTuple):
    """What a backbone returns.

    Attributes:
        global_feat: (B, D) one feature per sample; D is the backbone's ``out_channels``.
        point_feats: (B, C', M) features of the M points (or views) that are left at the end, or
            None.
        coords: (B, M, 3) where those points are, or None.
        stages: Features after each stage, first to last, as the backbone's docstring says.
        levels: What a decoder goes back through to the points, finest first, as the backbone's
            docstring says; the widths are its ``level_channels``. Empty if it has none.
    """

    global_feat: Tensor
    point_feats: Tensor | None = None
    coords: Tensor | None = None
    stages: tuple[Tensor, ...] = ()
    levels: tuple[Level, ...] = ()


class ModelOutput(NamedTuple):
    """What a classifier or a teacher returns in mode ``tensor``.

    Attributes:
        logits: (B, K) class scores before softmax, or None for a model without a classifier; of a
            part segmentor (B, N, P), the parts of each point.
        feat: (B, D) the feature that the last linear layer of the head sees; of a part segmentor
            the backbone's global feature.
        stages: The backbone's stage features.
    """

    logits: Tensor | None
    feat: Tensor
    stages: tuple[Tensor, ...] = ()
