"""Images of a cloud as model inputs."""

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import AXES, up_index
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.views.perspective_projection import PerspectiveProjection


@TRANSFORMS.register_module()
class ProjectViews(BaseTransform):
    """Add ``views`` (V, C, H, W): depth, grey or colour images of the cloud, with the axis of
    ``up_axis`` upright in them.

    The cloud should lie in a unit sphere. See
    :func:`~pcdet_kd.ops.project_points.project_points` for the images.

    Args:
        num_views, image_size, distance, footprint, mode, channels: See
            :class:`~pcdet_kd.views.perspective_projection.PerspectiveProjection`. Mode ``'color'``
            needs ``rgb`` in the sample.
    """

    def __init__(
        self,
        num_views: int = 6,
        image_size: int = 128,
        distance: float = 1.4,
        footprint: int = 1,
        mode: str = 'depth',
        channels: int = 3,
    ) -> None:
        settings = dict(
            num_views=num_views,
            image_size=image_size,
            distance=distance,
            footprint=footprint,
            mode=mode,
            channels=channels,
        )
        self.mode = mode
        self.projections = {axis: PerspectiveProjection(up_axis=axis, **settings) for axis in AXES}

    def transform(self, results: dict) -> dict:
        """Project.

        Raises:
            KeyError: Mode ``'color'`` without ``rgb``, or a sample without ``up_axis``.
        """
        cloud = np.concatenate(self.columns(results), axis=1, dtype=np.float32)
        views = self.projections[AXES[up_index(results)]](torch.from_numpy(cloud)[None])[0]
        return {**results, 'views': views.numpy()}

    def columns(self, results: dict) -> list[Any]:
        """Return what is projected of a sample or a batch: ``points``, and in colour ``rgb``."""
        if self.mode != 'color':
            return [results['points']]
        if 'rgb' not in results:
            raise KeyError("mode 'color' needs 'rgb' in the sample")
        return [results['points'], results['rgb']]
