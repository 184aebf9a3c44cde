"""A linear classifier whose weights are CLIP's features of the names of the classes."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from pcdet_kd.heads.mlp_head import MLPHead
from pcdet_kd.registry import HEADS
from pcdet_kd.utils.hugging_face import load_clip


@HEADS.register_module()
class CLIPTextHead(MLPHead):
    r"""Zero-shot classification (Radford et al., ICML 2021): the logit of a class is
    :math:`s\,\langle f, t_k\rangle` with CLIP's scale s, the image's feature f and the feature
    :math:`t_k` of the class's name in a sentence, both of length 1.

    It goes with :class:`HFImageBackbone` of the same model, ``feature='embedding'`` and
    ``aggregation='mean'``: the logits are then the mean over the views of CLIP's logits, as in
    PointCLIP (Zhang et al., CVPR 2022) with equal weights. It needs no label and no training. What
    is trained, it is the start of a linear layer without bias.

    Args:
        num_classes: K.
        in_channels: Width of CLIP's common space; a classifier fills it in.
        hf_model: CLIP's folder or name, as in :class:`HFImageBackbone`, here with its tokenizer.
            It is read in ``init_weights`` and not kept.
        classes: Names of the K classes; a config gets those of its data set. Underscores become
            spaces.
        templates: Sentences with ``{}`` for the name. With several, :math:`t_k` is the mean of
            their features, brought back to length 1.
        loss: As in :class:`MLPHead`.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        hf_model: str,
        classes: Sequence[str],
        templates: Sequence[str] = ('a photo of a {}.',),
        loss: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            num_classes, in_channels, (), last_bias=False, loss=loss, init_cfg=init_cfg
        )
        if len(classes) != num_classes:
            raise ValueError(
                f'CLIPTextHead has {len(classes)} names in classes, expected {num_classes}'
            )
        wrong = [text for text in templates if '{}' not in text]
        if wrong or not templates:
            raise ValueError(
                f'templates are {list(templates)!r}: each must hold {{}}, the place of the name'
            )
        self.hf_model = hf_model
        self.names = [name.replace('_', ' ') for name in classes]
        self.templates = templates

    def init_weights(self) -> None:
        """Compute the weights from the names, unless an ``init_cfg`` or a checkpoint gave them.

        Raises:
            CheckpointError: There is no such CLIP model, it has no tokenizer, or another width.
        """
        already = self.is_init or self.init_cfg is not None
        super().init_weights()
        if not already:
            weights = text_weights(self.hf_model, self.names, self.templates)
            if weights.shape != self.fc.weight.shape:
                raise ValueError(
                    f'CLIPTextHead: texts have {weights.shape[1]} channels in {self.hf_model}, the '
                    f'images {self.fc.in_features}: give both the same model, and the backbone '
                    "feature='embedding'"
                )
            self.fc.weight.data.copy_(weights)


@torch.no_grad()
def text_weights(hf_model: str, names: Sequence[str], templates: Sequence[str]) -> Tensor:
    """Return CLIP's scale times the features of names (K, D); see :class:`CLIPTextHead`."""
    clip, tokenizer = load_clip(hf_model)
    total = 0
    for template in templates:
        tokens = tokenizer(
            [template.replace('{}', name) for name in names],
            padding=True,
            truncation=True,
            max_length=clip.config.text_config.max_position_embeddings,
            return_tensors='pt',
        )
        pooled = clip.text_model(
            input_ids=tokens['input_ids'], attention_mask=tokens['attention_mask']
        ).pooler_output
        total = total + F.normalize(clip.text_projection(pooled), dim=-1)
    return clip.logit_scale.exp() * F.normalize(total, dim=-1)
