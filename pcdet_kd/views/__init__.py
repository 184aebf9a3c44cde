"""From point clouds to images."""

from pcdet_kd.views.perspective_projection import PerspectiveProjection, project_points

__all__ = ['PerspectiveProjection', 'project_points']
