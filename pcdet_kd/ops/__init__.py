"""Point-cloud kernels: sampling, neighbours, grouping, and distances between clouds.

Every op has a plain-torch form for any device and, where it pays, a numba kernel for the CPU;
:func:`use` chooses and :func:`info` tells which.
"""

from pcdet_kd.ops.backend import info, use
from pcdet_kd.ops.ball_query import ball_query
from pcdet_kd.ops.chamfer_distance import chamfer_distance
from pcdet_kd.ops.earth_mover_distance import earth_mover_distance
from pcdet_kd.ops.edge_max_sum import edge_max_sum
from pcdet_kd.ops.emd_match import emd_match
from pcdet_kd.ops.farthest_point_sample import farthest_point_sample
from pcdet_kd.ops.group import group
from pcdet_kd.ops.knn import knn
from pcdet_kd.ops.project_points import project_points
from pcdet_kd.ops.rasterize_mesh import rasterize_mesh
from pcdet_kd.ops.three_interpolate import three_interpolate

__all__ = [
    'ball_query',
    'chamfer_distance',
    'earth_mover_distance',
    'edge_max_sum',
    'emd_match',
    'farthest_point_sample',
    'group',
    'info',
    'knn',
    'project_points',
    'rasterize_mesh',
    'three_interpolate',
    'use',
]
