"""From point clouds to images."""

from pcdet_kd.ops.project_points import project_points
from pcdet_kd.views.perspective_projection import PerspectiveProjection

__all__ = ['PerspectiveProjection', 'project_points']
