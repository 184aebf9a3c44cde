"""The student of self-supervised pre-training on point patches."""

from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from pcdet_kd.layers import LatentPredictor, ProjectionHead
from pcdet_kd.registry import BACKBONES, MODELS
from pcdet_kd.structures import ModelOutput, PointDataSample


@MODELS.register_module()
class MaskedPointEncoder(BaseModel):
    """A point transformer with what its pre-training needs: projection heads, and a predictor of
    masked patches with its mask token.

    What there is decides how :class:`AsymDSD` trains it: with a class token in the backbone there
    is a head for it, with a predictor one for patches. It has no classifier: mode ``tensor``
    returns the global feature of ``inputs['points']``.

    Args:
        backbone: Config of a :class:`PointViT`.
        projection: Arguments of both :class:`ProjectionHead`; ``in_channels`` is filled in.
        predictor: Arguments of :class:`LatentPredictor`; None: patches are not predicted.
        data_preprocessor: Config of the preprocessor.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        backbone: dict,
        projection: dict | None = None,
        predictor: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = MODELS.build(data_preprocessor or dict(type='PointDataPreprocessor'))
        super().__init__(preprocessor, init_cfg)
        self.backbone = BACKBONES.build(backbone)
        dim = self.backbone.embed_dims
        has_class_token = self.backbone.cls_token is not None
        if predictor is None and not has_class_token:
            raise ValueError(
                'nothing can be trained: give the backbone class_token=True, or predictor=dict(...)'
            )
        projection = projection or {}
        self.cls_head = ProjectionHead(dim, **projection) if has_class_token else None
        self.patch_head = self.predictor = self.mask_token = None
        if predictor is not None:
            self.patch_head = ProjectionHead(dim, **projection)
            self.predictor = LatentPredictor(dim, **predictor)
            self.mask_token = nn.Parameter(
                nn.init.trunc_normal_(torch.zeros(1, 1, dim), std=0.02, a=-0.1, b=0.1)
            )

    def followed(self) -> nn.ModuleDict:
        """Return the parts that an EMA teacher has too: ``backbone``, ``cls_head``,
        ``patch_head``; the modules themselves, not copies.
        """
        names = ('backbone', 'cls_head', 'patch_head')
        return nn.ModuleDict({n: getattr(self, n) for n in names if getattr(self, n) is not None})

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[PointDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Return the features of ``inputs['points']`` (B, N, C) in mode ``tensor``.

        Raises:
            ValueError: Another mode.
        """
        if mode != 'tensor':
            raise ValueError(
                f"mode is '{mode}': an encoder without a classifier has no labels to compare with. "
                'Fine-tune it: a PointClassifier whose backbone starts from its checkpoint '
                '(--load-backbone FILE)'
            )
        features = self.backbone(inputs['points'])
        return ModelOutput(None, features.global_feat, features.stages)
