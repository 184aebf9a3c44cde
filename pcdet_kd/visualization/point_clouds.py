"""Images of point clouds: a grid of shaded, orthographic views, drawn without OpenGL."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.visualization.canvas import new_figure, save

CELL = 2.3, 2.55  # inches of a cloud with its title


def orthographic(
    points: np.ndarray, up_axis: str = 'z', azimuth: float = 35.0, elevation: float = 20.0
) -> np.ndarray:
    """Turn points into image coordinates.

    Args:
        points: (N, 3).
        up_axis: ``'x'``, ``'y'`` or ``'z'``: the axis that points upwards in the image.
        azimuth: Degrees by which the viewer walks around the up axis.
        elevation: Degrees by which the viewer looks down.

    Returns:
        (N, 3) float64: right, up, and towards the viewer, in the points' unit.

    Raises:
        ValueError: The points are not (N, 3) or the axis has another name.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f'points have shape {points.shape}, must be (N, 3)')
    check_choice('up_axis', up_axis, ('x', 'y', 'z'))
    up = 'xyz'.index(up_axis)
    first, second, height = (
        points[:, (up + 1) % 3],
        points[:, (up + 2) % 3],
        points[:, up],
    )  # right-handed, height last
    a, e = math.radians(azimuth), math.radians(elevation)
    right = second * math.cos(a) - first * math.sin(a)
    forward = first * math.cos(a) + second * math.sin(a)
    return np.stack(
        [
            right,
            height * math.cos(e) - forward * math.sin(e),
            height * math.sin(e) + forward * math.cos(e),
        ],
        1,
    )


def draw_point_clouds(
    clouds: Sequence[np.ndarray | None],
    titles: Sequence[str],
    path: str | Path,
    up_axis: str = 'z',
    colors: Sequence[np.ndarray | None] | None = None,
    columns: int = 5,
    legends: Sequence[Mapping[str, Sequence[float]] | None] | None = None,
) -> Path:
    """Draw clouds in a grid, all axes of a cloud in the same unit, each cloud filling its cell.

    Nearer points hide farther ones and are darker; hue is height, unless colours are given.

    Args:
        clouds: Arrays (N_i, 3); None leaves a cell empty.
        titles: One per cloud, may be empty; a newline starts a second line.
        path: File to write; its suffix chooses the format.
        up_axis: ``'x'``, ``'y'`` or ``'z'``; see a data set's ``metainfo['up_axis']``.
        colors: For each cloud (N_i, 3) RGB in [0, 1], or None for height.
        columns: Clouds in a row.
        legends: For each cloud the RGB colour in [0, 1] of each name to show below it, or None.

    Returns:
        The path.

    Raises:
        ValueError: There is no cloud, or not one title (and colour) for each.
    """
    colors = list(colors) if colors is not None else [None] * len(clouds)
    if not len(clouds) or len(titles) != len(clouds) or len(colors) != len(clouds):
        raise ValueError(
            f'{len(clouds)} clouds, {len(titles)} titles, {len(colors)} colours: expected the same '
            'number of each, and at least one cloud'
        )
    columns = min(columns, len(clouds))
    rows = math.ceil(len(clouds) / columns)
    figure = new_figure(CELL[0] * columns, CELL[1] * rows)
    for cell, (cloud, title, color) in enumerate(zip(clouds, titles, colors)):
        if cloud is None:
            continue
        axes = figure.add_subplot(rows, columns, cell + 1)
        add_cloud(axes, cloud, title, up_axis, color)
        if legends and legends[cell]:
            _add_legend(axes, legends[cell])
    return save(figure, path)


def add_cloud(
    axes: Any, cloud: np.ndarray, title: str, up_axis: str, color: np.ndarray | None = None
) -> None:
    """Draw a cloud on axes of matplotlib, as :func:`draw_point_clouds` does.

    Args:
        axes: Where to.
        cloud: (N, 3).
        title: Above it; may be empty.
        up_axis: ``'x'``, ``'y'`` or ``'z'``.
        color: (N, 3) RGB in [0, 1]; None: height.
    """
    from matplotlib import colormaps

    view = orthographic(cloud, up_axis)
    if color is None:
        height = _unit(np.asarray(cloud)[:, 'xyz'.index(up_axis)])
        color = colormaps['viridis'](0.05 + 0.8 * height)[:, :3]
    shade = 0.45 + 0.55 * (1 - _unit(view[:, 2]))  # near is dark: on white, haze is bright
    color = 1 - (1 - np.asarray(color, np.float64)) * (1.25 - 0.75 * shade)[:, None]
    order = np.argsort(view[:, 2])
    size = float(np.clip(9000 / max(len(view), 1), 2, 25))
    axes.scatter(view[order, 0], view[order, 1], c=color[order].clip(0, 1), s=size, linewidths=0)
    low, high = view[:, :2].min(axis=0), view[:, :2].max(axis=0)
    middle, half = (low + high) / 2, max(float((high - low).max()) / 2, 1e-6) * 1.06
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect('equal')
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)


def _add_legend(axes: Any, colors: Mapping[str, Sequence[float]]) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], linestyle='', marker='o', markersize=4, color=tuple(color), label=name)
        for name, color in colors.items()
    ]
    columns = math.ceil(len(marks) / math.ceil(len(marks) / 3))
    style = dict(fontsize=6, frameon=False, handletextpad=0.1, columnspacing=0.8)
    axes.legend(
        handles=marks, loc='upper center', bbox_to_anchor=(0.5, 0.03), ncol=columns, **style
    )


def _unit(values: np.ndarray) -> np.ndarray:
    low, extent = values.min(), np.ptp(values)
    return (values - low) / extent if extent else np.full(len(values), 0.5)
