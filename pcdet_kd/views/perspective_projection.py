"""Images of point clouds as a module (SimpleView, Goyal et al., ICML 2021)."""

import torch
from torch import Tensor, nn

from pcdet_kd.ops.project_points import check_settings, project_points
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.arguments import check_choice

MODES = ('depth', 'grey', 'color')
FARTHEST = 0.25  # what is left of the brightness on the far side of the unit sphere


@MODELS.register_module()
class PerspectiveProjection(nn.Module):
    """:func:`~pcdet_kd.ops.project_points.project_points` as a module without parameters.

    Args:
        num_views, image_size, distance, footprint, up_axis, overlap: See
            :func:`~pcdet_kd.ops.project_points.project_points`.
        mode: ``'depth'``; ``'grey'`` for :func:`grey_from_depth`, images in [0, 1] as networks
            expect that were trained on photographs; or ``'color'`` for the weighted mean colour.
        channels: Channels C of an image. Depth and grey: 1, or 3 (the same three times, for
            networks that expect colours). Colour: 3, or 4 with the depth as the last.
    """

    def __init__(
        self,
        num_views: int = 6,
        image_size: int = 128,
        distance: float = 1.4,
        footprint: int = 1,
        mode: str = 'depth',
        channels: int = 3,
        up_axis: str = 'y',
        overlap: str = 'mean',
    ) -> None:
        super().__init__()
        check_settings(num_views, image_size, distance, footprint, up_axis, overlap)
        check_choice('mode', mode, MODES)
        allowed = (3, 4) if mode == 'color' else (1, 3)
        check_choice(f"channels in mode '{mode}'", channels, allowed)
        self.settings = dict(
            num_views=num_views,
            image_size=image_size,
            distance=distance,
            footprint=footprint,
            up_axis=up_axis,
            overlap=overlap,
        )
        self.mode = mode
        self.channels = channels

    def forward(self, points: Tensor) -> Tensor:
        """Project.

        Args:
            points: (B, N, C): xyz first; in mode ``'color'`` rgb is next (C >= 6).

        Returns:
            Images (B, V, channels, R, R).

        Raises:
            ValueError: Too few columns.
        """
        if self.mode != 'color':
            images = project_points(points[..., :3], **self.settings)
            if self.mode == 'grey':
                images = grey_from_depth(images, self.settings['distance'])
            return images.expand(-1, -1, self.channels, -1, -1).contiguous()
        if points.shape[-1] < 6:
            raise ValueError(
                "mode 'color' needs points (B, N, 6 or more): xyz and rgb; got "
                f'{tuple(points.shape)}'
            )
        return project_points(points[..., :3], points[..., 3:6], **self.settings)[
            :, :, : self.channels
        ]

    def extra_repr(self) -> str:
        return ', '.join(
            f'{k}={v!r}'
            for k, v in {**self.settings, 'mode': self.mode, 'channels': self.channels}.items()
        )


def grey_from_depth(depth: Tensor, distance: float) -> Tensor:
    """Turn depths into grey: linear from 1 on the near side of the unit sphere to a quarter on its
    far side, the same beyond either, and 0 where there is no point.

    So a shape stands out from the black ground everywhere, and its near side is bright.

    Args:
        depth: Of any shape; 0 where there is no point.
        distance: Of the camera from the centre of the sphere.

    Returns:
        The same shape, in [0, 1].
    """
    behind = ((depth - (distance - 1)) / 2).clamp(0, 1)
    return torch.where(depth > 0, 1 - (1 - FARTHEST) * behind, 0)
