"""Means with their deviation, as lines over a number."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pcdet_kd.visualization.canvas import new_figure, save, style


def draw_lines(
    lines: Mapping[str, Sequence[tuple[float, float, float]]],
    path: str | Path,
    xlabel: str,
    ylabel: str,
    title: str = '',
) -> Path:
    """Draw a line for each model: mean values, with a band of one standard deviation.

    The horizontal axis is logarithmic if its values span more than a factor of 5.

    Args:
        lines: For each line its name and its points (x, mean, deviation); a deviation may be NaN.
        path: File to write; its suffix chooses the format.
        xlabel, ylabel: What the axes show, with units.
        title: Above the figure.

    Returns:
        The path.
    """
    figure = new_figure(6.4, 4.0)
    axes = figure.add_subplot()
    ticks = sorted({point[0] for points in lines.values() for point in points})
    for i, (name, points) in enumerate(lines.items()):
        x, mean, deviation = np.array(sorted(points), np.float64).T
        axes.plot(x, mean, color=f'C{i}', linewidth=1.8, marker='o', markersize=4, label=name)
        axes.fill_between(
            x, mean - deviation, mean + deviation, color=f'C{i}', alpha=0.18, linewidth=0
        )
    if ticks and ticks[0] > 0 and ticks[-1] > 5 * ticks[0]:
        axes.set_xscale('log')
        axes.minorticks_off()
    axes.set_xticks(ticks, [f'{tick:g}' for tick in ticks])
    style(axes, xlabel, ylabel, title)
    axes.legend(frameon=False, fontsize=9)
    return save(figure, path)
