"""Normalisation of images for networks that were trained on ImageNet."""

from collections.abc import Sequence

import torch
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalize_images(
    images: Tensor, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
) -> Tensor:
    """Scale images to [0, 1], subtract ``mean`` and divide by ``std``, for each colour
    channel.

    Elementwise and in float32, so that the result is the same on every device.

    Args:
        images: (..., C, H, W) uint8. C is 1 (grey, repeated) or 3.
        mean, std: Three numbers each, for images in [0, 1].

    Returns:
        (..., 3, H, W) float32.

    Raises:
        ValueError: Another type or number of channels.
    """
    if images.dtype != torch.uint8 or images.dim() < 3 or images.shape[-3] not in (1, 3):
        raise ValueError(
            f'images of type {images.dtype} and shape {tuple(images.shape)}, expected uint8 '
            '(..., 1 or 3, H, W)'
        )
    middle, scale = (
        torch.tensor(values, dtype=torch.float32, device=images.device).view(3, 1, 1)
        for values in (mean, std)
    )
    return (images / 255).sub(middle).div_(scale)
