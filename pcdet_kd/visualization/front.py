"""Accuracy over speed, as points."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pcdet_kd.visualization.canvas import GREY, new_figure, save, style


def pareto(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return the names of those that no other beats in both numbers (more is better), ordered by
    the first.
    """
    names = sorted(points, key=lambda name: (-points[name][0], -points[name][1]))
    front, best = [], -np.inf
    for name in names:  # from the fastest on, each that is more accurate than all before
        if points[name][1] > best:
            front.append(name)
            best = points[name][1]
    return front[::-1]


def draw_front(
    models: Mapping[str, tuple[float, float, float]],
    path: str | Path,
    xlabel: str = 'clouds per second',
    ylabel: str = 'OA, %',
    title: str = '',
) -> Path:
    """Draw each model as a point with a bar of one standard deviation, and a line through those
    that no other beats in speed and accuracy. The speed's axis is logarithmic.

    Args:
        models: For each its name, and (speed, accuracy, deviation of the accuracy); a deviation may
            be NaN.
        path: File to write; its suffix chooses the format.
        xlabel, ylabel: What the axes show, with units.
        title: Above the figure.

    Returns:
        The path.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator

    figure = new_figure(6.4, 4.0)
    axes = figure.add_subplot()
    front = pareto({name: values[:2] for name, values in models.items()})
    axes.plot(*zip(*[models[name][:2] for name in front]), color=GREY, linewidth=1, zorder=1)
    for i, (name, (speed, accuracy, deviation)) in enumerate(models.items()):
        error = None if np.isnan(deviation) else deviation
        axes.errorbar(
            speed, accuracy, error, color=f'C{i}', marker='o', capsize=3, label=name, linestyle=''
        )
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:,.0f}'))
    axes.minorticks_off()
    style(axes, xlabel, ylabel, title)
    axes.legend(frameon=False, fontsize=9)
    return save(figure, path)
