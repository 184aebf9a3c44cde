"""From point clouds and meshes to images."""

from pcdet_kd.ops.project_points import project_points
from pcdet_kd.views.cache import ViewCache
from pcdet_kd.views.camera_rigs import camera_directions, look_at_origin
from pcdet_kd.views.image_normalization import normalize_images
from pcdet_kd.views.mesh_renderer import MeshRenderer
from pcdet_kd.views.perspective_projection import PerspectiveProjection

__all__ = [
    'MeshRenderer',
    'PerspectiveProjection',
    'ViewCache',
    'camera_directions',
    'look_at_origin',
    'normalize_images',
    'project_points',
]
