"""Vision models of Hugging Face on every view of a shape."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule, update_init_info
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers import max_pool
from pcdet_kd.ops.backend import checks_values
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.checkpoint import first_line
from pcdet_kd.utils.hugging_face import (
    build_vision_model,
    load_vision_weights,
    read_image_settings,
    read_model_config,
)

FEATURES = ('pooled', 'cls', 'embedding')
ROUNDING = 1e-3  # a mean of colours may lie that far outside of [0, 1]
CLASS_TOKENS = ('cls_token', 'class_embedding')


@BACKBONES.register_module()
class HFImageBackbone(BaseModule):
    """Any vision model of Hugging Face's transformers (ViT, DINOv2, DINOv3, CLIP, SigLIP, ConvNeXt,
    Swin, ...) on every view of a shape, and the maximum or mean over the views, as
    :class:`MultiViewResNet`.

    Its input is ``views``: use ``input_key='views'``. They are images in [0, 1], such as
    ``dict(type='PerspectiveProjection', mode='grey')`` draws; they are brought to the model's size
    and normalised here, as the model's own ``preprocessor_config.json`` says. uint8 images become
    that with ``image_mean=(0, 0, 0), image_std=(1, 1, 1)`` in :class:`PointDataPreprocessor`.

    To train a head only, add ``dict(type='FreezeBackboneHook')`` to ``custom_hooks``; without it
    the whole model is fine-tuned. Parameters that the feature does not depend on never train.

    ``point_feats`` of the output are the features per view (B, out_channels, V).

    Args:
        hf_model: Folder with ``config.json``, ``preprocessor_config.json`` and
            ``model.safetensors``, or the name of a model that ``hf download`` has put into Hugging
            Face's cache. Nothing is downloaded here. The weights are read in ``init_weights``.
        in_channels: Channels of the views: the model's, or 1, which is repeated.
        aggregation: ``'max'`` or ``'mean'`` over the views.
        feature: Of one view. ``'pooled'``: the model's own (its class token, mean or attention
            pool, normalised as it does). ``'cls'``: the class token of the last layer.
            ``'embedding'``: CLIP's, of length 1, in the space that images share with texts.
        image_size: Height and width of what the model sees; None: the model's own. Positions of
            patches are interpolated where the model can do that.
        image_mean, image_std: Per channel, of images in [0, 1]; None: the model's own.
        init_cfg: As in MMEngine.

    Raises:
        MissingPackageError: transformers is not installed.
        CheckpointError: There is no such model.
        ValueError: Channels, size or feature do not fit the model.
    """

    def __init__(
        self,
        hf_model: str,
        in_channels: int = 3,
        aggregation: str = 'max',
        feature: str = 'pooled',
        image_size: int | None = None,
        image_mean: Sequence[float] | None = None,
        image_std: Sequence[float] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_choice('aggregation', aggregation, ('max', 'mean'))
        check_choice('feature', feature, FEATURES)
        config = read_model_config(hf_model)
        if None in (image_size, image_mean, image_std):
            own = read_image_settings(hf_model)
            image_size, image_mean = image_size or own.size, image_mean or own.mean
            image_std = image_std or own.std
        self.hf_model = hf_model
        self.in_channels = in_channels
        self.aggregation = aggregation
        self.feature = feature
        self.image_size = image_size
        self.net = build_vision_model(config, hf_model, feature == 'embedding')
        self._check_fit(image_mean, image_std)
        # part of the state: whoever loads trained weights sees the images that they were trained on
        self.register_buffer('image_mean', torch.tensor(image_mean).view(-1, 1, 1))
        self.register_buffer('image_std', torch.tensor(image_std).view(-1, 1, 1))
        takes = inspect.signature(self.net.forward).parameters
        self._options = (
            dict(interpolate_pos_encoding=True)
            if 'interpolate_pos_encoding' in takes
            and image_size != getattr(self.net.config, 'image_size', image_size)
            else {}
        )
        self.out_channels, self.used = self._probe(config)
        for name, parameter in self.net.named_parameters():
            parameter.requires_grad_(name in self.used)

    def init_weights(self) -> None:
        """Read the model's weights, unless an ``init_cfg`` or a checkpoint did so before.

        Raises:
            CheckpointError: They are missing, damaged or not all there.
        """
        already = self.is_init or self.init_cfg is not None
        super().init_weights()
        if already:
            return
        load_vision_weights(self.net, self.hf_model, self.used)
        if hasattr(self, '_params_init_info'):
            update_init_info(self, init_info=f'weights of {self.hf_model}')
        print_log(
            f'{type(self.net).__name__} has the weights of {self.hf_model}: '
            f'{sum(p.numel() for p in self.net.parameters()):,} numbers',
            logger='current',
        )

    def forward(self, views: Tensor) -> PointFeatures:
        """Map (B, V, in_channels, H, W) in [0, 1] to features; see the class.

        Raises:
            ValueError: The shape is another one, or a value is outside of [0, 1].
        """
        if views.dim() != 5 or views.shape[2] != self.in_channels or views.shape[1] == 0:
            raise ValueError(
                f'HFImageBackbone takes views (B, V, {self.in_channels}, H, W) with V > 0, got '
                f'{tuple(views.shape)}'
            )
        if checks_values():
            _check_range(views)
        images = views.flatten(0, 1)
        if images.shape[-2:] != (self.image_size, self.image_size):
            images = F.interpolate(
                images, (self.image_size, self.image_size), mode='bilinear', antialias=True
            )
        features = self._encode(self.net, (images - self.image_mean) / self.image_std)
        features = features.unflatten(0, views.shape[:2])
        global_feat = (
            max_pool(features, dim=1) if self.aggregation == 'max' else features.mean(dim=1)
        )
        return PointFeatures(global_feat, features.transpose(1, 2))

    def _probe(self, config: Any) -> tuple[int, set[str]]:
        """Return the feature's width and the parameters that it depends on."""
        with torch.device('meta'), torch.enable_grad():  # shapes only: this costs nothing
            net = build_vision_model(config, self.hf_model, self.feature == 'embedding').eval()
            blank = torch.empty(1, len(self.image_mean), self.image_size, self.image_size)
            try:
                feature = self._encode(net, blank)
            except RuntimeError as error:
                raise ValueError(
                    f'image_size {self.image_size} does not fit {self.hf_model} '
                    f'({type(net).__name__}): {first_line(error)}'
                ) from error
            names, parameters = zip(*net.named_parameters())
            grads = torch.autograd.grad(feature.sum(), parameters, allow_unused=True)
        return feature.shape[1], {n for n, grad in zip(names, grads) if grad is not None}

    def _encode(self, net: nn.Module, images: Tensor) -> Tensor:
        """Map normalised images (N, C, S, S) to (N, out_channels)."""
        out = net(pixel_values=images, **self._options)
        if self.feature == 'embedding':
            return F.normalize(out.image_embeds, dim=-1)
        if self.feature == 'cls':
            return out.last_hidden_state[:, 0]
        if getattr(out, 'pooler_output', None) is None:
            raise ValueError(
                f"{self.hf_model}: {type(net).__name__} has no pooled output: use feature='cls'"
            )
        return out.pooler_output.flatten(1)

    def _check_fit(self, mean: Sequence[float], std: Sequence[float]) -> None:
        config, name = self.net.config, f'{self.hf_model} ({type(self.net).__name__})'
        channels, patch = getattr(config, 'num_channels', 3), getattr(config, 'patch_size', 1)
        if self.in_channels not in (1, channels):
            raise ValueError(
                f'in_channels is {self.in_channels}, but {name} looks at {channels} channels: must '
                f'be 1 or {channels}'
            )
        if not len(mean) == len(std) == channels:
            raise ValueError(
                f'image_mean and image_std have {len(mean)} and {len(std)} numbers, but {name} '
                f'looks at {channels} channels'
            )
        if isinstance(patch, int) and (self.image_size < 1 or self.image_size % patch):
            raise ValueError(
                f'image_size is {self.image_size}, but {name} cuts images into patches of {patch} '
                f'pixels: must be a multiple of {patch}'
            )
        if self.feature == 'cls' and not any(
            key.endswith(CLASS_TOKENS) for key, _ in self.net.named_parameters()
        ):
            raise ValueError(f"{name} has no class token: use feature='pooled'")


def _check_range(views: Tensor) -> None:
    low, high = views.detach().aminmax()
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise ValueError(
            f'HFImageBackbone takes views in [0, 1], got [{low:.3g}, {high:.3g}]. Draw them with '
            "dict(type='PerspectiveProjection', mode='grey') or mode='color'; keep images from "
            'files uint8 (LoadViews with mean=None, std=None) and set image_mean=(0, 0, 0), '
            'image_std=(1, 1, 1) in data_preprocessor'
        )
