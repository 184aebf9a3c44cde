"""Figures and tables: files to look at, made without a display."""

from pcdet_kd.visualization.confusion_matrix import draw_confusion_matrix
from pcdet_kd.visualization.crops import draw_crops
from pcdet_kd.visualization.curves import draw_curves, read_scalars
from pcdet_kd.visualization.gallery import gallery_page
from pcdet_kd.visualization.parts import draw_parts, part_colors
from pcdet_kd.visualization.point_clouds import draw_point_clouds, orthographic
from pcdet_kd.visualization.tables import comparison_table

__all__ = [
    'comparison_table',
    'draw_confusion_matrix',
    'draw_crops',
    'draw_curves',
    'draw_parts',
    'draw_point_clouds',
    'gallery_page',
    'orthographic',
    'part_colors',
    'read_scalars',
]
