"""Matplotlib without its global state: figures that need no display and leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pcdet_kd.utils.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = '#555555'


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of that many inches, on an Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor='white', layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def style(axes: Axes, xlabel: str = '', ylabel: str = '', title: str = '') -> None:
    """Give axes their labels and the look of all plots: a light grid, no box."""
    axes.set_xlabel(xlabel, color=GREY)
    axes.set_ylabel(ylabel, color=GREY)
    axes.set_title(title, fontsize=11)
    axes.grid(color='#e6e6e6', linewidth=0.7)
    axes.spines[['top', 'right']].set_visible(False)
    axes.tick_params(colors=GREY)


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure in the image format that the file's suffix names, atomically; return the
    path.
    """
    path = Path(path)
    if not path.suffix:
        raise ValueError(
            f"'{path}' has no suffix; add that of an image format, for example {path}.png"
        )
    with atomic_write(path) as file:
        figure.savefig(file, format=path.suffix[1:], dpi=150, bbox_inches='tight', pad_inches=0.1)
    return path
