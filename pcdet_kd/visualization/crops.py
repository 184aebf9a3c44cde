"""What student and teacher see in self-supervised pre-training: crops of a cloud, and masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pcdet_kd.visualization.point_clouds import draw_point_clouds

if TYPE_CHECKING:
    from torch import Tensor

_HIDDEN = 0.86  # grey


def draw_crops(
    model: Any,
    cloud: np.ndarray,
    inputs: dict[str, Tensor],
    path: str | Path,
    up_axis: str = 'z',
) -> Path:
    """Draw a cloud, its crops, and the masks of its first global crop.

    In the masks, each visible patch has a colour of its own; what the student does not see is grey.

    Args:
        model: An :class:`AsymDSD`; its patches and masks are drawn.
        cloud: (N, 3) before it was cropped.
        inputs: ``global_crops`` (C, N, 3) and perhaps ``local_crops`` (L, n, 3) of this cloud.
        path: File to write; its suffix chooses the format.
        up_axis: ``'x'``, ``'y'`` or ``'z'``.

    Returns:
        The path.
    """
    from pcdet_kd.layers import patch_masks, unit_sphere

    clouds, titles = [cloud], [f'cloud\n{len(cloud):,} points']
    for kind, key in (('global', 'global_crops'), ('local', 'local_crops')):
        for number, crop in enumerate(inputs.get(key, ()), 1):
            clouds.append(crop.numpy())
            titles.append(f'{kind} crop {number}\n{len(crop):,} points')
    colors = [None] * len(clouds)
    if model.does_patch:
        points = unit_sphere(inputs['global_crops'][:1])
        patches, centres = model.student.backbone.patchify(points)
        masks = patch_masks(centres, masks=model.num_masks, **model.masks)
        for number, mask in enumerate(masks, 1):
            clouds.append(points[0].numpy())
            titles.append(
                f'mask {number} of global crop 1\n{int(mask.sum())} of {len(mask)} hidden'
            )
            colors.append(_colors(points[0], patches[0] + centres[0][:, None], mask))
    return draw_point_clouds(clouds, titles, path, up_axis, colors, columns=4)


def _colors(points: Tensor, patches: Tensor, mask: Tensor) -> np.ndarray:
    """Return (N, 3): the colour of the visible patch that a point is in, or grey."""
    import torch
    from matplotlib import colormaps

    palette = colormaps['tab20'].colors
    colors = np.full((len(points), 3), _HIDDEN)
    for number, patch in enumerate(patches[~mask]):
        members = torch.cdist(patch, points).argmin(dim=1)
        colors[members.numpy()] = palette[number % len(palette)]
    return colors
